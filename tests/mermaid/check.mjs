// Reads a JSON list of Mermaid texts and writes, for each, either its error or the labels that Mermaid's parser found.
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("");
globalThis.window = window; // DOMPurify, which Mermaid cleans labels with, looks for it when it is loaded
globalThis.document = window.document;
const { default: mermaid } = await import("mermaid");
mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });

// Mermaid keeps character codes under a cover until it draws; see encodeEntities and decodeEntities in its sources.
function shown(label) {
  const place = document.createElement("div");
  const uncovered = label.replaceAll("ﬂ°°", "&#").replaceAll("ﬂ°", "&").replaceAll("¶ß", ";");
  place.innerHTML = uncovered.replaceAll(/<br\s*\/?>/g, "\n");
  return place.textContent;
}

async function check(text) {
  try {
    await mermaid.parse(text);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    const nodes = [...db.getVertices().values()].map((vertex) => shown(vertex.text));
    const groups = db.getSubGraphs().map((group) => shown(group.title));
    return { nodes, groups, edges: db.getEdges().length };
  } catch (error) {
    return { error: String(error) };
  }
}

const answers = [];
for (const text of JSON.parse(readFileSync(0, "utf8"))) answers.push(await check(text));
process.stdout.write(JSON.stringify(answers));
