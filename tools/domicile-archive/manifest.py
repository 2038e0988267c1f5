"""Manifests: their shape, and whether their numbers can be relied on."""
import re

from signed import Wrong, open_signed_json

SIZE_MAX = 1 << 53
HASH, TEXT, UUID = "[0-9a-f]{64}", r"[^\x00]*", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{0,8}[1-9])?Z"
MANIFEST = {
    "format": int, "generation": int, "tenant_id": UUID, "region": "[a-z][a-z0-9-]{1,15}",
    "created_at": TIME, "previous_sha256": (HASH, None),
    "segments": [{"object": TEXT, "first": int, "last": int, "count": int, "size_bytes": int, "sha256": HASH}],
    "audit": [{"object": TEXT, "first": int, "last": int, "lines": int, "sha256": HASH}],
    "attachments": [{"blob": HASH, "size_bytes": int}], "schemas": [{"name": TEXT, "sha256": HASH}],
    "size": int, "root": HASH, "checkpoint": TEXT, "verifier": TEXT,
}


def fits(value, shape, takes_more=False):
    """Whether a value has the fields of a shape, and no more unless it takes them; one that may be nothing may be missing then."""
    if isinstance(shape, dict):
        return (isinstance(value, dict) and (takes_more or value.keys() == shape.keys())
                and all(fits(value.get(key), shape[key], takes_more) for key in shape))
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(item, shape[0], takes_more) for item in value)
    if isinstance(shape, tuple):
        return any(fits(value, other, takes_more) for other in shape)
    if isinstance(shape, str):
        return isinstance(value, str) and re.fullmatch(shape, value, re.DOTALL) is not None
    return value is None if shape is None else type(value) is shape


def are_numbers_sound(manifest):
    """Whether everybody may calculate with them. A signature does not say so."""
    size = manifest["size"]
    ranges = manifest["segments"] + manifest["audit"]
    return (0 <= size <= SIZE_MAX
            and all(1 <= part["first"] <= part["last"] <= size for part in ranges)
            and all(part["last"] - part["first"] + 1 == part["count"] for part in manifest["segments"])
            and sum(part["count"] for part in manifest["segments"]) <= size)


def shape_of(raw, verifier=None):
    """What a manifest says; without a verifier, what it claims."""
    manifest = open_signed_json(raw, verifier)
    if not fits(manifest, MANIFEST):
        raise Wrong("cannot be read: not the shape of a manifest")
    return manifest


def open_manifest(raw, chain, wanted):
    """A manifest that one of the keys signed for this place, and the key's number."""
    if raw is None:
        raise Wrong("missing")
    manifest, number = chain.open(lambda verifier: shape_of(raw, verifier))
    for field in ("format", "tenant_id", "region", "generation"):
        if manifest[field] != wanted[field]:
            raise Wrong(f"belongs to another {field}")
    if manifest["verifier"] != str(chain.verifiers[number]):
        raise Wrong("belongs to another key")
    if not are_numbers_sound(manifest):
        raise Wrong("cannot be read: its sizes, positions and counts do not fit each other")
    return manifest, number
