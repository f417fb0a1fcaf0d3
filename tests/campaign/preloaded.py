"""What every push loads, loaded once: importing this takes longer than most pushes of the campaign."""

import geoplan.cli.commands.push
import geoplan.cli.push_session
import geoplan.loadmaster.client
import geoplan.topology.loader

__all__ = ["geoplan"]
