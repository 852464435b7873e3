"""A partner institution without our SDK: deposits a signed batch and verifies its receipt, from the proto files alone.

Stubs are generated at run time. What has to be built by hand stands in proto/creditbank/v1/record.proto and log.proto:
the commitment, the RFC 6962 root over the envelopes, the signing input, the token; and, to verify, the leaf, the range
proof and the signed checkpoint. Every step that does not hold ends the program with an exception.
"""

import argparse
import base64
import hashlib
import importlib
import json
import secrets
import struct
import sys
import tempfile
import time
from pathlib import Path

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from grpc_tools import protoc


def generated(proto: str):
    """Generates the stubs and imports them."""
    folder = tempfile.mkdtemp()
    files = [str(path) for path in sorted(Path(proto).rglob("*.proto"))]
    if protoc.main(["protoc", f"-I{proto}", f"--python_out={folder}", f"--grpc_python_out={folder}", *files]):
        raise SystemExit("the proto files do not compile")
    sys.path.insert(0, folder)
    names = ["record", "outcome", "submission", "submission_pb2_grpc", "learner", "learner_pb2_grpc"]
    modules = [name if name.endswith("grpc") else f"{name}_pb2" for name in names]
    return [importlib.import_module(f"creditbank.v1.{module}") for module in modules]


# RFC 6962: leaves and nodes are hashed apart, so that neither can pass for the other.


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(count: int) -> int:
    """The largest power of two below count."""
    return 1 << (count - 1).bit_length() - 1


def root_of(hashes: list) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    middle = split(len(hashes))
    return node_hash(root_of(hashes[:middle]), root_of(hashes[middle:]))


def path_of(hashes: list, index: int) -> list:
    """From a leaf to the root, bottom up."""
    if len(hashes) == 1:
        return []
    middle = split(len(hashes))
    if index < middle:
        return path_of(hashes[:middle], index) + [root_of(hashes[middle:])]
    return path_of(hashes[middle:], index - middle) + [root_of(hashes[:middle])]


def root_from_range(size: int, first: int, leaves: list, proof: list) -> bytes:
    """The root of a tree of `size`, from neighbouring leaves and the subtrees outside them, left to right."""
    proof = iter(proof)

    def node(low: int, high: int) -> bytes:
        if high <= first or first + len(leaves) <= low:
            return next(proof)
        if high - low == 1:
            return leaves[low - first]
        middle = low + split(high - low)
        return node_hash(node(low, middle), node(middle, high))

    root = node(0, size)
    assert next(proof, None) is None, "the proof has hashes left over"
    return root


def open_note(note: str, vkey: str) -> list:
    """The lines of a signed note (C2SP signed-note), once the bank's signature holds."""
    name, key_hash, key = vkey.split("+", 2)
    key = base64.b64decode(key)
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    assert key[0] == 1 and expected.hex() == key_hash, "not an Ed25519 key of this name"
    text, signatures = note.rsplit("\n\n", 1)
    for line in signatures.splitlines():
        dash, signer, signature = line.split(" ")
        signature = base64.b64decode(signature)
        if (dash, signer, signature[:4]) == ("—", name, expected):
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], (text + "\n").encode())
            return text.splitlines()
    raise AssertionError("the bank has not signed this checkpoint")


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def key_id(key: Ed25519PrivateKey) -> bytes:
    return hashlib.sha256(b"\x01" + public_bytes(key)).digest()


def token(institution: str, origin: str, key: Ed25519PrivateKey) -> str:
    """A compact JWT: five minutes, for this ledger."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    now = int(time.time())
    header = {"alg": "EdDSA", "typ": "JWT", "kid": key_id(key).hex()}
    claims = {"iss": institution, "aud": origin, "iat": now, "exp": now + 300, "jti": secrets.token_hex(16)}
    signed = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims).encode())}"
    return f"{signed}.{part(key.sign(signed.encode()))}"


class Partner:
    """An institution with its keys and a connection."""

    def __init__(self, arguments):
        self.arguments = arguments
        stubs = generated(arguments.proto)
        self.record, self.outcome, self.submission, self.submission_grpc, self.learner, self.learner_grpc = stubs
        self.sign = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(arguments.sign))
        authenticate = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(arguments.authenticate))
        self.channel = grpc.insecure_channel(arguments.server)
        bearer = token(arguments.institution, arguments.origin, authenticate)
        self.metadata = [("authorization", f"Bearer {bearer}")]

    def enrol(self, number: str) -> str:
        identity = self.learner.Identity(kind=self.learner.IDENTITY_KIND_STUDENT_NUMBER, number=number)
        request = self.learner.EnrolLearnerRequest(identity=identity, name="欧阳·晓𠮷")
        service = self.learner_grpc.LearnerServiceStub(self.channel)
        return service.EnrolLearner(request, metadata=self.metadata, timeout=30).learner

    def signed_record(self, learner: str, course: str):
        outcome = self.outcome.Outcome(
            achievement=self.outcome.Achievement(name=course),
            credits_hundredths=250,
            grade=self.outcome.Grade(five_level=self.outcome.FIVE_LEVEL_GOOD),
            completed_on="2024-01-15",
            degree_course=self.outcome.DegreeCourse(form=31, stage=20, year=2024, term=50),
        )
        payload = self.record.Payload(version=1, learner=learner, outcome=outcome).SerializeToString(deterministic=True)
        salt = secrets.token_bytes(32)
        envelope = self.record.Envelope(
            version=1,
            issuer=self.arguments.institution,
            record_id=secrets.token_bytes(16),
            kind=self.record.RECORD_KIND_OUTCOME,
            commitment=hashlib.sha256(b"creditbank/payload/v1\n" + salt + payload).digest(),
        )
        envelope = envelope.SerializeToString(deterministic=True)
        return self.submission.SignedRecord(envelope=envelope, salt=salt, payload=payload)

    def signed_batch(self, records: list):
        root = root_of([leaf_hash(record.envelope) for record in records])
        signing_input = b"creditbank/batch/v1\n"
        for text in (self.arguments.origin, self.arguments.institution):
            signing_input += struct.pack(">H", len(text.encode())) + text.encode()
        signing_input += struct.pack(">Q", len(records)) + root
        return self.submission.SubmitBatchRequest(
            sequence=1,
            origin=self.arguments.origin,
            issuer=self.arguments.institution,
            key_id=key_id(self.sign),
            algorithm=1,
            root=root,
            signature=self.sign.sign(signing_input),
            records=records,
        )

    def submit(self, request):
        service = self.submission_grpc.SubmissionServiceStub(self.channel)
        return service.SubmitBatch(request, metadata=self.metadata, timeout=30)

    def verify(self, request, response) -> int:
        """Verifies the receipt of a batch that was created whole; gives the size of the log."""
        created = response.created
        assert not (response.duplicates or response.refused or created.rows), response
        hashes = [leaf_hash(record.envelope) for record in request.records]
        leaves = []
        for index, record in enumerate(request.records):
            attestation = self.record.Attestation(
                key_id=request.key_id,
                algorithm=1,
                batch_size=len(hashes),
                batch_index=index,
                path=path_of(hashes, index),
                signature=request.signature,
            )
            leaf = self.record.Leaf(
                version=1, envelope=record.envelope, attestation=attestation, deposited_at_ms=created.deposited_at_ms
            )
            leaves.append(leaf_hash(leaf.SerializeToString(deterministic=True)))
        origin, size, root = open_note(created.checkpoint, self.arguments.bank_key)
        assert origin == self.arguments.origin, "a checkpoint of another log"
        found = root_from_range(int(size), created.first_leaf_index, leaves, list(created.range_proof))
        assert base64.b64encode(found).decode() == root, "the leaves do not lead to the root that the bank signed"
        return int(size)

    def verify_receipt(self, receipt, record):
        """Verifies a receipt of one record, as a duplicate brings it."""
        leaf = self.record.Leaf.FromString(receipt.leaf)
        assert leaf.envelope == record.envelope, "a receipt of another record"
        origin, size, root = open_note(receipt.checkpoint, self.arguments.bank_key)
        assert origin == self.arguments.origin, "a checkpoint of another log"
        index, last, found = receipt.leaf_index, int(size) - 1, leaf_hash(receipt.leaf)
        for sibling in receipt.inclusion_proof:
            assert last > 0, "the proof is too long"
            if index & 1 or index == last:
                found = node_hash(sibling, found)
                while not index & 1:
                    index, last = index >> 1, last >> 1
            else:
                found = node_hash(found, sibling)
            index, last = index >> 1, last >> 1
        assert last == 0 and base64.b64encode(found).decode() == root, "the leaf does not lead to the signed root"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("proto", "server", "bank-key", "origin", "institution", "sign", "authenticate"):
        parser.add_argument(f"--{name}", required=True)
    partner = Partner(parser.parse_args())
    learner = partner.enrol("20240001")
    request = partner.signed_batch([partner.signed_record(learner, f"课程 {number}") for number in range(5)])
    size = partner.verify(request, partner.submit(request))
    again = partner.submit(request)
    assert len(again.duplicates) == 5, again
    for row, record in zip(again.duplicates, request.records):
        partner.verify_receipt(row.receipt, record)
    forged = partner.submission.SubmitBatchRequest.FromString(request.SerializeToString())
    forged.signature = bytes(64)
    try:
        partner.submit(forged)
        raise AssertionError("a forged signature was accepted")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNAUTHENTICATED, error
    print(f"5 records verified in a log of {size} leaves")


if __name__ == "__main__":
    main()
