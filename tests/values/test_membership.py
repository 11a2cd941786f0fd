"""Members, quorums and quorum certificates."""

from dataclasses import replace

import pytest

from consortium.certificate import Certificate, certificate_of, problem_with, vote_body
from consortium.crypto import scheme_named
from consortium.encoding import EncodingError, decode, encode
from consortium.errors import InputError
from consortium.membership import Membership, Organisation, OrganisationKind, max_faulty, quorum_size

CHAIN = b"chain---"
SCHEME = scheme_named("ed25519")
SIGNERS = [SCHEME.signer(bytes([i]) * 32) for i in range(7)]


def bank(index, **changes):
    values = {
        "id": f"bank{index}",
        "name": f"Bank {index}",
        "kind": OrganisationKind.BANK,
        "public_key": SIGNERS[index].public_key,
    }
    return Organisation(**{**values, **changes})


def membership(n=4, f=1, extra=()):
    banks = tuple(bank(i) for i in range(n))
    return Membership(epoch=0, organisations=(*banks, *extra), validators=tuple(b.id for b in banks), f=f)


@pytest.mark.parametrize(
    ("n", "f", "quorum"),
    [
        (4, 1, 3),
        (5, 1, 4),
        (6, 1, 4),
        (7, 2, 5),
        (8, 2, 6),
        (9, 2, 6),
        (10, 3, 7),
        (13, 4, 9),
        (31, 10, 21),
        (10, 1, 6),
    ],
)
def test_quorums(n, f, quorum):
    assert quorum_size(n, f) == quorum
    assert 2 * quorum - n >= f + 1  # two quorums share a correct replica
    assert quorum <= n - f  # the correct ones alone make one


def test_every_membership_has_sound_quorums():
    for n in range(1, 200):
        for f in range(max_faulty(n) + 1):
            quorum = quorum_size(n, f)
            assert 2 * quorum - n >= f + 1
            assert quorum <= n - f


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"f": 2}, "at least 7"),
        ({"validators": ("bank0", "bank0", "bank1", "bank2")}, "twice"),
        ({"validators": ("bank0", "nobody", "bank1", "bank2")}, "nobody"),
        ({"organisations": (*(bank(i) for i in range(4)), bank(1))}, "twice"),
        (
            {
                "organisations": (
                    *(bank(i) for i in range(4)),
                    Organisation(
                        id="c", name="c", kind=OrganisationKind.COMPANY, public_key=b"k", access_bank="x"
                    ),
                )
            },
            "'x'",
        ),
    ],
)
def test_contradictions_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        replace(membership(), **change)


def test_who_carries_whose_transactions():
    outside = bank(4, access_bank="bank2")
    company = Organisation(
        id="maker", name="Maker", kind=OrganisationKind.COMPANY, public_key=b"k", access_bank="bank4"
    )
    members = membership(extra=(outside, company))
    assert members.access_bank("maker") == "bank4"
    assert members.access_bank("bank4") == "bank4"
    assert members.carrier("maker") == members.carrier("bank4") == "bank2"
    assert members.carrier("bank1") == "bank1"
    assert members.carrier("stranger") is None


def certificate(signers=(0, 1, 2), n=4):
    fields = (0, 5, b"d" * 32)
    signatures = {i: SIGNERS[i].sign(vote_body(CHAIN, 0, "COMMIT", i, fields)) for i in signers}
    return certificate_of(0, "COMMIT", fields, signatures, len(signers))


def test_a_certificate_of_a_quorum_holds():
    assert problem_with(certificate(), membership(), CHAIN, SCHEME, 3) is None
    assert problem_with(certificate((1, 2, 3)), membership(), CHAIN, SCHEME, 3) is None


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: replace(c, epoch=1), "epoch"),
        (lambda c: replace(c, signers=0b1001, signatures=c.signatures[:2]), "2 signers"),
        (lambda c: replace(c, signers=0b1011), "bad signature of replica 3"),
        (lambda c: replace(c, signers=0b10011), "not a member"),
        (lambda c: replace(c, signatures=c.signatures[:2]), "2 signatures"),
        (lambda c: replace(c, kind="PREPARE"), "bad signature"),
        (lambda c: replace(c, fields=(1, 5, b"d" * 32)), "bad signature"),
        (
            lambda c: replace(c, signatures=(c.signatures[1], c.signatures[0], c.signatures[2])),
            "bad signature",
        ),
    ],
)
def test_any_other_certificate_does_not(change, problem):
    found = problem_with(change(certificate()), membership(), CHAIN, SCHEME, 3)
    assert found is not None
    assert problem in found


def test_a_signature_for_another_chain_means_nothing():
    assert "bad signature" in problem_with(certificate(), membership(), b"another-", SCHEME, 3)


def test_certificates_survive_their_encoding():
    original = certificate()
    assert Certificate.from_value(decode(encode(original.as_value()))) == original
    for wrong in (
        None,
        (),
        (0, "COMMIT", (), b"\0\7", ()),
        (True, "COMMIT", (), b"\7", ()),
        (0, "COMMIT", (), b"\7", (1,)),
    ):
        with pytest.raises(EncodingError):
            Certificate.from_value(wrong)
