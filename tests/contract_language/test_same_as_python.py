"""On the plain part of the language the engine computes what Python computes, and fails where Python fails."""

import pytest
from engine_bench import IMPORT, Bench, value_of
from programs import program

from consortium.vm.check import check
from consortium.vm.execute import ContractSet, load_contract

CODES = {
    IndexError: "E-INDEX",
    KeyError: "E-KEY",
    RuntimeError: "E-LOOP-CHANGE",
    TypeError: "E-TYPE",
    UnboundLocalError: "E-TYPE",
    ValueError: "E-TYPE",
    ZeroDivisionError: "E-ZERO-DIV",
}
INPUTS = ((0, 1, "", []), (5, -3, "x-y", [4, 0, -1, 4]))


def in_python(text: str, inputs: tuple):
    names: dict = {"Text": str}
    exec(text, names)
    try:
        return names["f"](*[list(value) if isinstance(value, list) else value for value in inputs])
    except tuple(CODES) as error:
        return CODES[type(error)]


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_random_programs_agree_with_python(start):
    applied = 0
    for seed in range(start, start + 50):
        text = program(seed)
        source = f"{IMPORT}@action\n{text}".encode()
        assert check(source, f"program{seed}") == (), text
        ledger = Bench(ContractSet([load_contract("c", 1, source, f"program{seed}")]))
        for inputs in INPUTS:
            outcome = ledger.raw(
                "f", tuple(tuple(item) if isinstance(item, list) else item for item in inputs)
            )
            if outcome.code in ("E-OUT-OF-GAS", "E-VALUE-SIZE"):
                continue  # Python itself would go on, perhaps for ever
            expected = in_python(text, inputs)
            if isinstance(expected, str) and expected.startswith("E-"):
                assert outcome.code == expected, (seed, outcome, text)
            else:
                assert value_of(outcome) == expected, (seed, text)
                applied += 1
    assert applied > 20
