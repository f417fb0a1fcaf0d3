"""The Network Load Balancers of the HA pairs in AWS, as a template for CloudFormation (section 6.1)."""

from geoplan.render.cloudformation.template import Template, make_template, render

__all__ = ["Template", "make_template", "render"]
