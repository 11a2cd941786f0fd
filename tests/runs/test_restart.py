"""Runs in which banks stop and come back: the same business result, and nobody contradicts himself."""

import pytest
from run_cases import CREDIT, ROOT, credit_with

from consortium.errors import ExitCode
from consortium.scenario.load import load
from consortium.scenario.run import RunOptions, run_scenario

RESTART = ROOT / "scenarios" / "bank_restart.yaml"
BACKUP_AND_BANK_OF_THE_SELLER = """\
  - {at: 2026-03-02 11:00, crash: vb1, for: 300 ms}
  - {at: 2026-04-17 10:00, crash: pb2, for: 1 s}"""


def run(path, **options):
    return run_scenario(load(path), RunOptions(**{"signatures": "mac", **options}))


@pytest.mark.parametrize("share", [True, False])
def test_the_bundled_restart_ends_with_the_same_ledger_as_no_fault(share):
    restarted, quiet = run(RESTART, share_execution=share), run(CREDIT)
    assert restarted.view.verdict == "true"
    assert restarted.exit_code == ExitCode.OK
    assert {str(each.verdict) for each in restarted.view.checkers} == {"true"}
    assert restarted.view.parties == quiet.view.parties
    assert [node.is_running for node in restarted.view.nodes] == [True] * 4


def test_a_run_with_restarts_is_reproducible():
    assert run(RESTART).run_digest == run(RESTART, signatures="none").run_digest


@pytest.mark.parametrize("seed", range(3))
def test_a_step_of_a_bank_that_is_down_is_handed_over_when_it_is_back(tmp_path, seed):
    restarted = run(credit_with(tmp_path, faults=BACKUP_AND_BANK_OF_THE_SELLER), seed=seed)
    assert restarted.view.verdict == "true"
    assert restarted.witness.tip.header.state_root == run(CREDIT, seed=seed).witness.tip.header.state_root


def test_a_full_disk_without_end_stops_one_bank_and_not_the_group(tmp_path):
    view = run(credit_with(tmp_path, faults="  - {at: 2026-04-01, disk_full: vb2}")).view
    assert view.verdict == "true"
    assert [node.is_running for node in view.nodes] == [True, True, True, False]


def test_all_banks_lose_power_and_return(tmp_path):
    faults = "\n".join(
        f"  - {{at: 2026-04-17 10:00, crash: {bank}, for: {seconds} s}}"
        for seconds, bank in enumerate(("ib1", "pb2", "vb1", "vb2"), start=1)
    )
    assert run(credit_with(tmp_path, faults=faults)).view.verdict == "true"
