"""The Network Load Balancers of the HA pairs in AWS, as a template for CloudFormation (section 6.1)."""

from geoplan.render.cloudformation.template import render

__all__ = ["render"]
