"""Opens payloads and files: the region key wraps a tenant's key, that wraps data keys, those seal."""
import json
import os
import re

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:  # said by __main__
    pass

from signed import Usage, Wrong, unbase64

NONCE_LENGTH = 12


def unseal(key, place, sealed):
    """AES-256-GCM: 12 bytes of nonce, ciphertext, tag; the place of the thing is the associated data."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:], place)
    except (InvalidTag, ValueError):
        return None


def read_json(path):
    try:
        with open(path, "rb") as file:
            return json.load(file)
    except OSError as error:
        raise Usage(f"{path}: {error.strerror}") from None
    except ValueError:
        raise Usage(f"{path} holds no JSON") from None


def attachment_of(event):
    """The number of the attachment whose file an event brought along."""
    match = re.fullmatch("upload-([0-9]{1,18})", event["stream"])
    if not match:
        raise Wrong(f"position {event['position']}: a file on the stream {event['stream']}, which is no upload's")
    return match.group(1)


class Keys:
    """The data keys of a tenant, from a region's key file and every key export of the tenant (a file, or a folder of them)."""

    def __init__(self, tenant_id, region_key_path, exports):
        self.tenant_id, self.by_id = tenant_id, {}
        region = read_json(region_key_path)
        if not isinstance(region, dict) or region.get("kind") != "domicile region key, AES-256":
            raise Usage(f"{region_key_path} is no region key file")
        self.region_key_id, self.region_key = region["id"], unbase64(region["secret"])
        for path in exports:
            files = sorted(os.path.join(path, name) for name in os.listdir(path)) if os.path.isdir(path) else [path]
            for file in files:
                self.take(file, read_json(file))

    def take(self, path, export):
        """One export. A key that it lacks was destroyed, or belongs to other events."""
        if not isinstance(export, dict) or export.get("tenant_id") != self.tenant_id:
            raise Usage(f"{path} is no key export of tenant {self.tenant_id}")
        wrapped = export["tenant_key"]
        if wrapped is None:
            return
        if wrapped["region_key_id"] != self.region_key_id:
            raise Usage(f"{path}: wrapped by the region key {wrapped['region_key_id']}, the file holds {self.region_key_id}")
        place = f"domicile tenant key of {self.tenant_id} under {self.region_key_id}"
        tenant_key = unseal(self.region_key, place.encode(), unbase64(wrapped["wrapped"]))
        if tenant_key is None:
            raise Wrong(f"{path}: the tenant's key does not open: it was changed or moved")
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
        for key in listed["keys"]:
            self.by_id.pop(key["key_id"], None)

    def open_event(self, position, envelope, payload):
        """The event as one object; `data` is nothing where its key is not there any more."""
        facts = json.loads(envelope)
        key, data = self.by_id.get(facts["key_id"]), None
        if key is not None:
            plaintext = unseal(key, envelope, payload)
            if plaintext is None:
                raise Wrong(f"position {position}: the payload does not open: it was sealed in another place")
            data = json.loads(plaintext)
        return {"position": position, **facts, "data": data, "is_erased": key is None}

    def open_file(self, event, sealed):
        """The bytes of the file that an event brought along; nothing where the key is not there any more."""
        key = self.by_id.get(event["key_id"])
        if key is None:
            return None
        opened = unseal(key, f"{self.tenant_id}/attachment-{attachment_of(event)}".encode(), sealed)
        if opened is None:
            raise Wrong(f"attachments/{event['blob']}: does not open: it was sealed for another place")
        return opened
