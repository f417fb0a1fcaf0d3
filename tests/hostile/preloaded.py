"""What every command loads, loaded once: importing this takes longer than most of the hostile answers."""

import geoplan.cli.commands.diff
import geoplan.cli.commands.probe
import geoplan.cli.commands.push
import geoplan.cli.commands.status
import geoplan.cli.push_session
import geoplan.cli.status_watch
import geoplan.live.probe.report
import geoplan.loadmaster.client
import geoplan.loadmaster.raw
import geoplan.status.table
import geoplan.topology.loader

__all__ = ["geoplan"]
