"""The topology as a picture: SVG, Mermaid and DOT."""
