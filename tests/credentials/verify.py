"""Credentials through verifiers that are not ours: openbadgeslib (strict) for eddsa-rdfc-2022, openvc-core for
eddsa-jcs-2022, and the JSON schemas of 1EdTech.

    verify.py SCHEMAS < cases > verdicts

Cases and verdicts are those of verify.mjs; here:
    what "verify": {"name", "rdfc": true or why not, "jcs": true or why not}
    what "schema": {"name", "schema": what does not fit}
Nothing is fetched. A CLR is verified with every credential in it.
"""

import datetime
import json
import pathlib
import sys

import jsonschema
from openbadgeslib.ob3 import clr
from openbadgeslib.ob3.did import resolve_verification_method
from openbadgeslib.ob3.ldp import OB3LdpVerifier, verify_data_integrity_proof
from openvc.proof.di_jcs import EddsaJcsProofSuite

SCHEMAS = {
    "OpenBadgeCredential": "ob_v3p0_achievementcredential_schema.json",
}


def rdfc(credential):
    """An Open Badge by the strict verifier, anything else by its proof and its issuer's key."""
    issuer = credential["issuer"]
    issuer = issuer if isinstance(issuer, str) else issuer["id"]
    if "OpenBadgeCredential" in credential["type"]:
        OB3LdpVerifier.for_issuer_did(issuer).verify(credential)
        return
    key = issuer.removeprefix("did:key:")
    method = resolve_verification_method(f"{issuer}#{key}")
    verify_data_integrity_proof(credential, method, extra_contexts=clr.bundled_clr_contexts())


def jcs(credential, now):
    proofs = credential["proof"]
    proofs = proofs if isinstance(proofs, list) else [proofs]
    (proof,) = [proof for proof in proofs if proof.get("cryptosuite") == "eddsa-jcs-2022"]
    now = now and datetime.datetime.fromisoformat(now)
    EddsaJcsProofSuite().verify({**credential, "proof": proof}, now=now)


def everything(credential):
    """The credential and those inside it."""
    subject = credential.get("credentialSubject")
    members = subject.get("verifiableCredential", []) if isinstance(subject, dict) else []
    return [credential, *members]


def attempt(work):
    try:
        work()
    except Exception as error:  # Whatever a verifier raises is its refusal.
        return f"{type(error).__name__}: {error}"[:300]
    return True


def validator(folder, kind):
    schema = json.loads((folder / SCHEMAS[kind]).read_text(encoding="utf-8"))
    draft = jsonschema.Draft201909Validator
    return draft(schema, format_checker=draft.FORMAT_CHECKER)


def main():
    folder = pathlib.Path(sys.argv[1])
    validators = {kind: validator(folder, kind) for kind in SCHEMAS}
    for line in sys.stdin:
        asked = json.loads(line)
        credential = asked["credential"]
        verdict = {"name": asked["name"]}
        if asked["what"] == "verify":
            now = asked.get("now")
            verdict["rdfc"] = attempt(lambda: [rdfc(each) for each in everything(credential)])
            verdict["jcs"] = attempt(lambda: [jcs(each, now) for each in everything(credential)])
        else:
            errors = validators[credential["type"][1]].iter_errors(credential)
            verdict["schema"] = [f"{list(error.path)}: {error.message}"[:300] for error in errors]
        print(json.dumps(verdict), flush=True)


if __name__ == "__main__":
    main()
