"""The actions of a push, one file each, and the table that says which function does which.

A new action is a row here and a file beside it; the executor knows none of them by name but the reboot, which is done
together with the resubmission that it makes room for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.model import Action
from geoplan.push.actions.add_cluster import add_cluster
from geoplan.push.actions.change_ha_parameters import change_ha_parameters
from geoplan.push.actions.create_load_balancer import leave_to_aws
from geoplan.push.actions.delete_cluster import delete_cluster
from geoplan.push.actions.delete_other_clusters import delete_other_clusters
from geoplan.push.actions.fail_over import fail_over
from geoplan.push.actions.join_ha_pair import join_ha_pair
from geoplan.push.actions.modify_cluster import modify_cluster
from geoplan.push.actions.move_health_check import move_health_check
from geoplan.push.actions.preferred_host import set_preferred_host
from geoplan.push.actions.probe_unlinked import probe_unlinked
from geoplan.push.actions.reboot_master import PairReboot
from geoplan.push.actions.resubmit_geo_partners import resubmit_on_standalone
from geoplan.push.actions.resubmit_on_active import resubmit_on_active
from geoplan.push.actions.rotate_partner_secret import rotate_partner_secret
from geoplan.push.actions.seed_geo_configuration import seed_geo_configuration
from geoplan.push.actions.set_ha_parameters import set_parameters
from geoplan.push.actions.set_ha_partner import set_ha_partner
from geoplan.push.actions.set_lists import set_list
from geoplan.push.actions.targets import leave_targets_to_aws
from geoplan.push.actions.update_firmware import update_firmware
from geoplan.push.actions.verify_ha_pair import verify_pair
from geoplan.push.actions.verify_unlinked import verify_unlinked
from geoplan.push.actions.verify_updated_pair import verify_updated_pair

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from geoplan.plan.model import Step
    from geoplan.push.context import Context
    from geoplan.push.outcome import Outcome

ACTIONS: Mapping[Action, Callable[[Context, Step], Awaitable[Outcome]]] = {
    Action.CREATE_LOAD_BALANCER: leave_to_aws,
    Action.SET_MASTER_HA_PARAMETERS: set_parameters,
    Action.SET_SLAVE_HA_PARAMETERS: set_parameters,
    Action.VERIFY_HA_PAIR: verify_pair,
    Action.SET_REMOTE_GEO_ACCESS: set_list,
    Action.SET_GEO_PARTNERS: set_list,
    Action.REMOVE_GEO_PARTNERS: set_list,
    Action.REMOVE_REMOTE_GEO_ACCESS: set_list,
    Action.VERIFY_UNLINKED: verify_unlinked,
    Action.PROBE_UNLINKED: probe_unlinked,
    Action.DELETE_CLUSTER: delete_cluster,
    Action.DELETE_OTHER_CLUSTERS: delete_other_clusters,
    Action.ADD_CLUSTER: add_cluster,
    Action.RESUBMIT_GEO_PARTNERS: resubmit_on_standalone,
    Action.JOIN_HA_PAIR: join_ha_pair,
    Action.SEED_GEO_CONFIGURATION: seed_geo_configuration,
    Action.RESUBMIT_ON_ACTIVE: resubmit_on_active,
    Action.MODIFY_CLUSTER: modify_cluster,
    Action.SET_HA_PARTNER: set_ha_partner,
    Action.SET_PREFERRED_HOST: change_ha_parameters,
    Action.SET_ALL_INTERFACES: change_ha_parameters,
    Action.SET_HEALTH_CHECK_PORT: change_ha_parameters,
    Action.MOVE_HEALTH_CHECK: move_health_check,
    Action.DEREGISTER_TARGETS: leave_targets_to_aws,
    Action.REGISTER_TARGETS: leave_targets_to_aws,
    Action.FAIL_OVER: fail_over,
    Action.SET_PREFERRED_HOST_ASIDE: set_preferred_host,
    Action.UPDATE_STANDBY: update_firmware,
    Action.UPDATE_ACTIVE: update_firmware,
    Action.UPDATE_REMAINING: update_firmware,
    Action.UPDATE_STANDALONE: update_firmware,
    Action.VERIFY_UPDATED_PAIR: verify_updated_pair,
    Action.RESTORE_PREFERRED_HOST: set_preferred_host,
    Action.ROTATE_PARTNER_SECRET: rotate_partner_secret,
}
"""Of actions whose steps are done by themselves."""

PAIR_ACTIONS: Mapping[Action, type[PairReboot]] = {Action.REBOOT_MASTER: PairReboot}
"""Of actions whose steps are done together with the resubmission on the pair's new active unit."""
