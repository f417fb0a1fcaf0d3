"""Tests lie where a stranger looks for them, and each module of tests stands for itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.code import MODULES, PACKAGE, imports_of
from tests.conftest import ROOT

TESTS = ROOT / "tests"
SHORT_LINES = 60  # so short, a module goes with those that use it

# Longer modules whose tests do not lie where they do, and what guards them; a folder stands for all modules in it.
GUARDED_BY = {
    "cli/ansible_folder": "cli/commands/test_export_ansible.py",
    "cli/changing": "cli/commands/test_push_from_live.py",
    "cli/commands/diff": "cli/commands/test_push.py",
    "cli/commands/facts": "test_vendor.py",
    "cli/commands/lab": "lab/serve/test_process.py",
    "cli/drill_session": "cli/commands/test_drill.py",
    "cli/following": "cli/commands/test_follow.py",
    "cli/push_command": "cli/commands/test_push.py",
    "cli/push_goal": "cli/commands/test_push.py",
    "cli/push_journal": "cli/commands/test_push.py",
    "cli/push_options": "cli/test_approving.py",
    "cli/push_secret": "cli/commands/test_push_secret.py",
    "cli/secret_session": "cli/commands/test_push_secret.py",
    "cli/status_glimpses": "browser/test_status_page.py",
    "cli/status_telling": "cli/test_status_watch.py",
    "cli/units_session": "cli/commands/test_push_update.py",
    "cli/push_units": "cli/commands/test_push.py",
    "cli/push_update": "cli/commands/test_push_update.py",
    "cli/update_session": "cli/commands/test_push_update.py",
    "console": "cli/test_output.py",
    "follow": "follow/test_judge.py",
    "lab/api": "lab/api/test_commands.py",
    "lab/device": "lab/device/test_network.py",
    "lab/device/parameters": "lab/api/test_commands.py",
    "lab/http": "lab/api/test_commands.py",
    "lab/request_log": "lab/api/test_commands.py",
    "lab/serve": "lab/serve/test_listener.py",
    "lab/simulation": "lab/test_faults.py",
    "lab/unit_faults": "lab/test_faults.py",
    "live": "live/test_survey.py",
    "live/diff": "live/findings/test_compare.py",
    "live/findings/clusters": "live/findings/test_compare.py",
    "live/findings/geo_merge": "push/test_preflight.py",
    "live/findings/kinds": "live/findings/test_states.py",
    "live/findings/partners": "live/test_links.py",
    "live/polling": "simulation/test_scenarios.py",
    "loadmaster": "loadmaster/test_client.py",
    "loadmaster/clusters": "loadmaster/test_spellings.py",
    "loadmaster/ha": "loadmaster/test_spellings.py",
    "loadmaster/pins": "loadmaster/test_endpoints.py",
    "partner_facts": "test_vendor.py",
    "secret_facts": "test_vendor.py",
    "plan": "plan/test_planner.py",
    "plan/change_graph": "plan/test_rules_of_changes.py",
    "plan/change_parts": "plan/test_change.py",
    "plan/change_refusals": "plan/test_change.py",
    "plan/described": "plan/test_undo.py",
    "plan/firmware_change": "plan/test_upgrade.py",
    "push": "simulation/test_scenarios.py",
    "push/actions/set_ha_parameters": "cli/commands/test_push_ha.py",
    "push/actions/fail_over": "cli/commands/test_drill.py",
    "push/carry_over": "push/test_store.py",
    "push/drill_checks": "cli/commands/test_drill.py",
    "push/drill_links": "cli/commands/test_drill.py",
    "push/history": "push/test_journal.py",
    "push/reboots": "simulation/test_owed_reboots.py",
    "push/past_changes": "push/test_past_pushes.py",
    "push/set_aside": "cli/commands/test_push_update.py",
    "push/waiting_image": "simulation/test_updates.py",
    "push/update_status": "cli/commands/test_push_update.py",
    "push/state_dir": "push/test_store.py",
    "render/cloudformation": "render/cloudformation/test_template.py",
    "render/diagram/captions": "render/diagram/test_svg.py",
    "render/runbook": "render/runbook/test_build.py",
    "render/runbook/ec2": "render/runbook/test_ha.py",
    "render/runbook/prose": "render/runbook/test_content.py",
    "status": "status/test_table.py",
    "status/json": "cli/commands/test_status.py",
    "render/failures": "browser/test_failures_page.py",
    "topology": "topology/test_malformed.py",
    "topology/checks": "cli/commands/test_check.py",
    "twin": "simulation/test_simulation.py",
    "twin/failures": "twin/test_carried_out.py",
    "twin/report": "twin/test_whatif.py",
    "twin/whatif_json": "cli/commands/test_whatif.py",
    "twin/whatif_text": "cli/commands/test_whatif.py",
    "twin/words": "cli/commands/test_whatif.py",
    "topology/model": "topology/test_loader.py",
}


def has_tests_in_its_place(module: Path) -> bool:
    """Tell whether ``test_NAME.py`` or a folder of tests mirrors a module or a package."""
    place = TESTS / (module.parent if module.name == "__init__.py" else module.with_suffix("")).relative_to(PACKAGE)
    return place.with_name(f"test_{place.name}.py").exists() or any(place.glob("test_*.py"))


def exceptions_for(module: Path) -> list[str]:
    """Return the exceptions that name a module or a folder of it, the nearest first."""
    path = module.relative_to(PACKAGE).with_suffix("")
    return [str(name) for name in (path, *path.parents) if str(name) in GUARDED_BY]


def elsewhere() -> list[Path]:
    return [
        module
        for module in MODULES
        if len(module.read_text().splitlines()) > SHORT_LINES and not has_tests_in_its_place(module)
    ]


def test_tests_of_a_module_are_where_it_lies_or_it_says_where() -> None:
    assert [str(module.relative_to(PACKAGE)) for module in elsewhere() if not exceptions_for(module)] == []


def test_exceptions_are_needed_and_their_guards_exist() -> None:
    needed = {exceptions_for(module)[0] for module in elsewhere() if exceptions_for(module)}
    assert set(GUARDED_BY) - needed == set()
    assert [guard for guard in GUARDED_BY.values() if not any(TESTS.glob(guard))] == []


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_nothing_is_imported_from_a_test_module(path: Path) -> None:
    names = {".".join(module.relative_to(ROOT).with_suffix("").parts) for module in TESTS.rglob("test_*.py")}
    imported = set(imports_of(path))
    assert not names & (imported | {name.rpartition(".")[0] for name in imported})
