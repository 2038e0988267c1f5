"""Opens payloads and files: the region key wraps a tenant's key, that wraps data keys, those seal."""
import pathlib
import re

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:  # said by __main__
    pass

from manifest import TEXT, TIME, UUID, fits
from signed import Usage, Wrong, parse_json, unbase64

NONCE_LENGTH = 12
KEY = "[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="
BASE64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?"
REGION_KEY = {"kind": "domicile region key, AES-256", "id": TEXT, "secret": KEY}
EXPORT = {"tenant_id": UUID, "tenant_key": ({"region_key_id": TEXT, "wrapped": BASE64}, None),
          "data_keys": [{"key_id": UUID, "scope": TEXT, "wrapped": BASE64, "created_at": TIME}]}
ERASURE = {"keys": [{"key_id": UUID, "scope": TEXT}]}


def unseal(key, place, sealed):
    """AES-256-GCM: 12 bytes of nonce, ciphertext, tag; the place of the thing is the associated data."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:], place)
    except (InvalidTag, ValueError):
        return None


def read(path, shape, name, takes_more):
    try:
        value = parse_json(pathlib.Path(path).read_bytes())
    except ValueError:
        value = None
    if not fits(value, shape, takes_more):
        raise Usage(f"{path} is not the shape of {name}")
    return value


def attachment_of(event):
    """The number of the attachment whose file an event brought along."""
    match = re.fullmatch("upload-([0-9]{1,18})", event["stream"])
    if not match:
        raise Wrong(f"position {event['position']}: a file on the stream {event['stream']}, which is no upload's")
    return match.group(1)


class Keys:
    """The data keys of a tenant, from a region's key file and a folder of all the tenant's key exports; or none, and all stays sealed."""

    def __init__(self, tenant_id, region_key=None, folder=None):
        self.tenant_id, self.by_id, self.is_empty = tenant_id, {}, folder is None
        if self.is_empty:
            return
        self.region = read(region_key, REGION_KEY, "a region key file", takes_more=False)
        # A copy of keys/ is as good as one of the tenant's folder in it.
        own = pathlib.Path(folder, tenant_id)
        folder = own if own.is_dir() else pathlib.Path(folder)
        exports = sorted(path for path in folder.iterdir() if path.suffix == ".json")
        if not exports:
            raise Usage(f"--keys: {folder} holds no key export")
        for path in exports:
            self.take(path, read(path, EXPORT, "an export", takes_more=True))

    def take(self, path, export):
        """One export. A key that it lacks was destroyed, or belongs to other events."""
        if export["tenant_id"] != self.tenant_id:
            raise Usage(f"{path} is no key export of tenant {self.tenant_id}")
        wrapped, region_key_id = export.get("tenant_key"), self.region["id"]
        if wrapped is None:
            return
        if wrapped["region_key_id"] != region_key_id:
            raise Usage(f"{path}: wrapped by the region key {wrapped['region_key_id']}, the file holds {region_key_id}")
        place = f"domicile tenant key of {self.tenant_id} under {region_key_id}"
        tenant_key = unseal(unbase64(self.region["secret"]), place.encode(), unbase64(wrapped["wrapped"]))
        if tenant_key is None:
            raise Usage(f"{path}: the tenant's key does not open: it was changed or moved")
        for row in export["data_keys"]:
            place = f"domicile data key {row['key_id']} of tenant {self.tenant_id} for {row['scope']}"
            key = unseal(tenant_key, place.encode(), unbase64(row["wrapped"]))
            if key is None:
                raise Wrong(f"{path}: the data key {row['key_id']} does not open: it was changed or moved")
            self.by_id[row["key_id"]] = key

    def destroy(self, position, envelope, payload):
        """Forgets the keys that an event of the erasure list names: an export may be older than the erasure."""
        listed = self.open_event(position, envelope, payload)["data"]
        if listed is None:
            raise Usage(f"no key opens the erasure list at position {position}, so nothing is opened: take newer exports")
        if not fits(listed, ERASURE, takes_more=True):
            raise Wrong(f"position {position}: not the shape of an erasure list, so nothing is opened")
        for key in listed["keys"]:
            self.by_id.pop(key["key_id"], None)

    def open_event(self, position, envelope, payload):
        """The event as one object; `data` is nothing where its key is not there any more."""
        facts = parse_json(envelope)
        key, data = self.by_id.get(facts["key_id"]), None
        if key is not None:
            try:
                data = parse_json(unseal(key, envelope, payload) or b"")
            except ValueError:
                raise Wrong(f"position {position}: the payload does not open: it was sealed in another place, or is no JSON") from None
        event = {"position": position, **facts, "data": data, "is_erased": key is None and not self.is_empty}
        return {**event, "is_sealed": True} if self.is_empty else event

    def open_file(self, event, sealed):
        """The bytes of the file that an event brought along; nothing where the key is not there any more."""
        key = self.by_id.get(event["key_id"])
        if key is None:
            return None
        opened = unseal(key, f"{self.tenant_id}/attachment-{attachment_of(event)}".encode(), sealed)
        if opened is None:
            raise Wrong(f"attachments/{event['blob']}: does not open: it was sealed for another place")
        return opened
