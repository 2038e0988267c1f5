"""Hashes, and what is signed: notes, checkpoints, signed JSON."""
import base64
import binascii
import hashlib
import json
import re

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:  # said by __main__
    pass

SIGNATURES_MAX = 16


class Wrong(Exception):
    """Something that is not what it should be; the message says what."""


class Usage(Exception):
    """The program was asked for something that cannot be done."""


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def unbase64(text):
    """Strictly: one spelling for the same bytes."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Wrong("no base64") from None
    if base64.b64encode(decoded).decode() != text:
        raise Wrong("no base64")
    return decoded


def parse_json(raw):
    """Strictly: UTF-8 without a mark before it, with nothing in it that JSON has no words for. Raises a ValueError."""
    try:
        value = json.loads(raw.decode(), parse_constant=int)
        if b"\\u" in raw:
            json.dumps(value, ensure_ascii=False).encode()  # half a character is no text
        return value
    except RecursionError:
        raise ValueError("too deep") from None


class Verifier:
    """An Ed25519 key and the name it signs under (c2sp.org/signed-note)."""

    def __init__(self, name, public_key):
        self.name, self.public_key = name, public_key
        self.key_id = sha256(name.encode(), b"\n\1", public_key)[:4]

    @classmethod
    def parse(cls, text):
        match = re.fullmatch(r"([^\s+\ud800-\udfff]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", text.strip())
        key = unbase64(match.group(3)) if match else b""
        verifier = cls(match.group(1), key[1:]) if len(key) == 33 and key[0] == 1 else None
        if verifier is None or verifier.key_id.hex() != match.group(2):
            raise Wrong("a verifier key takes <name>+<8 hex digits>+<base64>, an Ed25519 key whose id fits its name")
        return verifier

    def __str__(self):
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([1]) + self.public_key).decode()}"

    def check(self, text, lines):
        """One of the signature lines must be this key's and fit; lines of other keys say nothing."""
        signed = False
        for name, key_id, signature in map(signature_of, lines[:SIGNATURES_MAX]):
            if len(key_id) < 4:
                raise Wrong("not signed by the key: not a signed note")
            if (name, key_id) == (self.name, self.key_id):
                self.fits(signature, text, "signature")
                signed = True
        if not signed:
            raise Wrong(f"not signed by the key: no signature of {self.name}")

    def fits(self, signature, text, what):
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text.encode())
        except InvalidSignature:
            raise Wrong(f"not signed by the key: the {what} of {self.name} does not fit") from None


class Cosigner(Verifier):
    """A key that cosigns checkpoints (c2sp.org/tlog-cosignature); written as the verifier key of its region."""

    def __init__(self, name, public_key):
        super().__init__(name, public_key)
        self.cosigner_id = sha256(name.encode(), b"\n\4", public_key)[:4]

    def time(self, note):
        """When it has cosigned a checkpoint, in seconds since 1970; nothing if it has not."""
        text, lines = text_and_lines(note)
        for name, key_id, cosigned in map(signature_of, lines):
            if (name, key_id) == (self.name, self.cosigner_id):
                seconds = int.from_bytes(cosigned[:8], "big")
                self.fits(cosigned[8:], f"cosignature/v1\ntime {seconds}\n{text}", "cosignature")
                return seconds
        return None


def signature_of(line):
    """Name, key id and the rest of a signature line."""
    match = re.fullmatch(r"\u2014 (\S+) (\S+)", line)
    signed = unbase64(match.group(2)) if match else b""
    return match and match.group(1), signed[:4], signed[4:]


def text_and_lines(note):
    """The text of a signed note and its signature lines, unchecked."""
    text, empty, signatures = note.rpartition("\n\n")
    if not empty or not note.endswith("\n") or re.search(r"[\x00-\x09\x0b-\x1f]", note):
        raise Wrong("not signed by the key: not a signed note")
    return text + "\n", signatures.split("\n")[:-1]


def open_checkpoint(note, verifier):
    """Origin, size and root of a signed checkpoint (c2sp.org/tlog-checkpoint)."""
    text, signatures = text_and_lines(note)
    verifier.check(text, signatures)
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or re.search(r"[\x7f-\x9f]", lines[0]) or not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]):
        raise Wrong("cannot be read: not the lines of a checkpoint")
    root = unbase64(lines[2])
    if len(root) != 32:
        raise Wrong("cannot be read: not the lines of a checkpoint")
    return lines[0], int(lines[1]), root


def open_signed_json(raw, verifier=None):
    """The body of signed JSON: `{"body":...,"signature":"..."}` and a newline, in exactly this form."""
    start, middle = b'{"body":', raw.rfind(b',"signature":"')
    try:
        if not raw.startswith(start) or middle < 0 or not raw.endswith(b'"}\n'):
            raise ValueError
        text, signature = raw[len(start):middle].decode(), parse_json(raw[middle + len(b',"signature":'):-2])
        body = parse_json(raw[len(start):middle])
    except ValueError:
        raise Wrong("cannot be read: not the shape of a manifest") from None
    if verifier is not None:
        verifier.check(text + "\n", [signature])
    return body
