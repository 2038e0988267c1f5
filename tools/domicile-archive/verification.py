"""Verifies an archive from its objects alone: docs/archive-format.md, "What a reader checks"."""
import itertools
import json
import re

from manifest import open_manifest, shape_of
from merkle import root_of
from objects import WIDTH, decompress, parse_tile
from signed import Verifier, Wrong, open_checkpoint, sha256
from successions import NAME as SUCCESSION, chain_of
from walk import Walk
from witnesses import NAME as WITNESS, Witnesses

# SHA-256 of every text of VERIFY.txt that was ever published, with {origin} and {verifier} where those stand.
GUIDES = {"3531b404b8ee1d77270a8e30727e606711bf07ca6616f21f419ce7abf76188b9",
          "1abf11fefffd068678b02ec4af4cb1c24f2f38e64bdde4e10d29e6bf217a35b7"}
RETIRED = "signed by a key that was retired before"


class Verification(Walk):
    """Walks the generations in order and holds everything against what was signed."""

    def __init__(self, folder, pinned=None, at_least=0, seen=None, witnesses=()):
        super().__init__(folder, seen)
        self.pinned, self.at_least, self.notes = pinned, at_least, []
        names = (re.fullmatch(r"manifest/([0-9]{8}|[1-9][0-9]{8,17})\.json", key) for key in folder.keys)
        self.generations = sorted(int(name.group(1)) for name in names if name)
        # The hash of the manifest before; False where that cannot be trusted, nor then a comparison with it.
        self.previous, self.newest, self.attachments, self.schemas = None, None, 0, {}
        # The keys of the log, and the number of the newest one that has signed a manifest.
        self.manifest = self.verifier = self.chain = None
        self.published = 0
        self.key_number, self.witness_keys, self.witnesses = 0, witnesses, None

    def run(self):
        self.establish()
        before = 0
        for number in self.generations if self.manifest else []:
            if number > before + 1:
                self.generation(before + 1)
            self.generation(number)
            before = number
        if self.manifest:
            self.finish()
        self.findings.sort(key=lambda finding: finding["position"] or 0)
        return self

    def establish(self):
        """Whose archive this is, and the key: the given one, or the one that the first readable manifest names."""
        for number in self.generations:
            key = f"manifest/{number:08}.json"
            try:
                claimed = shape_of(self.folder.get(key))
                key_of_all = self.pinned or Verifier.parse(claimed["verifier"])
            except Wrong:
                continue
            self.manifest, self.tenant_id = claimed, claimed["tenant_id"]
            self.origin = f"domicile/{claimed['region']}/{self.tenant_id}"
            if self.pinned and self.pinned.name not in (self.origin, f"domicile/{claimed['region']}"):
                self.add(None, "manifest/", "belongs to another log than the given key")
            if not self.pinned:
                self.notes.append("no key was given: the one the archive names was used; compare it with a copy from elsewhere")
            self.verifier = Verifier(self.origin, key_of_all.public_key)
            self.chain, wrongs = chain_of(self.folder, self.origin, key_of_all.public_key)
            self.witnesses = Witnesses(self.folder, self.chain, self.origin, self.witness_keys, self.add)
            for wrong_number, wrong in wrongs:
                self.add(None, f"successions/{wrong_number:08}", f"no key follows another by it: {wrong}")
            return
        for number in self.generations:
            self.add(None, f"manifest/{number:08}.json", "cannot be read: not the shape of a manifest")
        if not self.generations:
            self.add(None, "manifest/", "there is no manifest, so no archive")
            first = "/manifest/00000001.json"
            self.notes += [f"an archive lies in {key[:-len(first)]} of it" for key in self.folder.keys if key.endswith(first)]
            if self.at_least:
                self.add(1, "manifest/", "the archive ends here and is known to have held more")

    def generation(self, number):
        key = f"manifest/{number:08}.json"
        self.unnamed.discard(key)
        raw = self.folder.get(key)
        try:
            manifest, key_number = open_manifest(raw, self.chain, {**self.manifest, "format": 1, "generation": number})
        except Wrong as wrong:
            self.add(self.size + 1, key, wrong)
            self.previous, self.is_gap_explained = False, True
            return
        if self.previous is not False and self.previous != manifest["previous_sha256"]:
            self.add(self.size + 1, key, "does not follow the manifest before it")
        # Without its last letter, a time that is later comes later as text, too.
        if self.newest and manifest["created_at"][:-1] < self.newest["created_at"][:-1]:
            self.add(self.size + 1, key, "older than the manifest before it")
        self.check_key(manifest, key_number, key)
        first, self.blobs, self.lines, whole = self.size + 1, [], [], True
        for named in manifest["segments"]:
            whole = self.segment(named) and whole
        self.check_tree(manifest, key, first)
        self.check_audit(manifest, whole)
        self.check_attachments(manifest, key, self.size - first + 1)
        for schema in manifest["schemas"]:
            # Every generation with such an event names it; once is enough.
            if self.schemas.get(schema["name"]) != schema["sha256"]:
                self.schemas[schema["name"]] = schema["sha256"]
                self.check_hash(None, f"schemas/{schema['name']}.json", schema["sha256"])
        self.previous, self.newest = sha256(raw).hex(), manifest

    def check_key(self, manifest, key_number, key):
        """A key signs no more once its successor has, and signs manifest and checkpoint alike."""
        try:
            _, of_checkpoint = self.chain.open(lambda verifier: open_checkpoint(manifest["checkpoint"], verifier))
        except Wrong:
            of_checkpoint = key_number  # said where the tree is checked
        if key_number < self.key_number or of_checkpoint != key_number:
            self.add(self.size + 1, key, RETIRED)
        self.key_number = max(self.key_number, key_number)

    def check_tree(self, manifest, key, first):
        try:
            signed, _ = self.chain.open(lambda verifier: open_checkpoint(manifest["checkpoint"], verifier))
            if signed != (self.origin, manifest["size"], bytes.fromhex(manifest["root"])):
                self.add(first, key, "belongs to another tree")
        except Wrong as wrong:
            self.add(first, key, wrong)
        if manifest["size"] > self.size:
            self.add(self.size + 1, key, "no segment holds the event")
            self.substitute(manifest["size"], [])
        if self.is_tree_known and (manifest["size"], manifest["root"]) != (self.size, self.tree.root().hex()):
            self.add(self.first_unlike_tiles(first) or first, key, "the tree over the events has another root")
            self.is_tree_known = False

    def audit_objects(self):
        for day, lines in itertools.groupby(self.lines, lambda line: line["recorded_at"].split("T")[0]):
            lines = list(lines)
            text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
            first, last = lines[0]["first"], lines[-1]["last"]
            yield first, f"audit/{day}/{first:012}-{last:012}.jsonl.zst", len(lines), text.encode()

    def check_audit(self, manifest, whole):
        found = [self.check_hash(part["first"], part["object"], part["sha256"]) for part in manifest["audit"]]
        for number, (first, key, count, text) in enumerate(self.audit_objects() if whole else []):
            named = manifest["audit"][number] if number < len(found) else {}
            if (named.get("object"), named.get("lines")) != (key, count):
                self.add(first, key, "not the lines of the events")
                return
            if found[number] is not None and decompress(found[number]) != (text, True):
                self.add(first, key, "not the lines of the events")

    def check_attachments(self, manifest, key, count):
        blobs = [at for number, at in enumerate(self.blobs) if number == 0 or self.blobs[number - 1][1] != at[1]]
        is_known = self.is_tree_known and sum(part["count"] for part in manifest["segments"]) == count
        if is_known and [blob for _, blob in blobs] != [named["blob"] for named in manifest["attachments"]]:
            self.add(blobs[0][0] if blobs else None, key, "names other attachments than the events")
        for named in manifest["attachments"]:
            position = next((position for position, blob in blobs if blob == named["blob"]), None)
            self.attachments += 1
            self.check_hash(position, f"attachments/{named['blob']}", named["blob"], named["size_bytes"])

    def finish(self):
        if self.is_tree_known:
            for tile, data in self.tree.partial():
                self.compare(tile, data)
        else:
            self.notes.append("the tree could not be followed to its end")
        if self.at_least > self.size:
            self.add(self.size + 1, "manifest/", "the archive ends here and is known to have held more")
        self.check_checkpoint()
        roots = self.leaves if self.is_tree_known else []
        self.witnesses.compare(lambda size: root_of(roots[:size]) if size <= len(roots) else None, self.size, self.published)
        self.notes += self.witnesses.notes(self.size)
        self.check_guide()
        self.check_unnamed()

    def check_checkpoint(self):
        key, raw = "log/checkpoint", self.folder.get("log/checkpoint")
        newest = (self.newest["size"], bytes.fromhex(self.newest["root"])) if self.newest else (0, None)
        try:
            if raw is None:
                raise Wrong("missing")
            # A byte that is no text becomes a character that nobody signed.
            note = raw.decode(errors="replace")
            (origin, *published), key_number = self.chain.open(lambda verifier: open_checkpoint(note, verifier))
            if origin != self.origin:
                raise Wrong("belongs to another log")
            self.published = published[0]
        except Wrong as wrong:
            return self.add(None, key, wrong)
        if published[0] > newest[0]:
            self.add(newest[0] + 1, key, "covers events that no manifest holds")
        elif published[0] < newest[0]:
            self.add(None, key, "older than the newest manifest")
        elif key_number < self.key_number:
            self.add(None, key, RETIRED)
        elif published[1] != newest[1]:
            self.add(None, key, "the tree over the events has another root")

    def check_guide(self):
        raw = self.folder.get("VERIFY.txt")
        if raw is None:
            return self.add(None, "VERIFY.txt", "missing")
        templates = (raw.replace(str(verifier).encode(), b"{verifier}").replace(self.origin.encode(), b"{origin}")
                     for verifier in self.chain.verifiers)
        if not any(sha256(template).hex() in GUIDES for template in templates):
            self.add(None, "VERIFY.txt", "not the steps by hand that were published for this key")

    def check_unnamed(self):
        """What no manifest names is wrong, unless it lies beyond the newest one: a step that is not published yet."""
        untrusted = any(finding["object"].startswith("manifest/") for finding in self.findings)
        counts = {"objects beyond the newest manifest: a step that is not published": 0,
                  "files that no archived event claims": 0, "objects of a part that could not be looked at": 0}
        beyond, unclaimed, not_looked_at = counts
        for key in sorted(self.unnamed - {"log/checkpoint", "VERIFY.txt"}):
            ranged = re.fullmatch(r"(?:events|audit/[^/]*)/([0-9]{1,18})-([0-9]{1,18})\.(?:seg|jsonl)\.zst", key)
            tile = parse_tile(key)
            if SUCCESSION.fullmatch(key) or WITNESS.fullmatch(key):
                continue
            if key.startswith("attachments/"):
                counts[unclaimed if self.is_tree_known else not_looked_at] += 1
            elif key.startswith("schemas/") or ranged and int(ranged.group(1)) > self.size:
                counts[beyond] += 1
            elif ranged and untrusted or tile and not self.is_tree_known:
                counts[not_looked_at] += 1
            elif tile and (tile[1] * WIDTH + tile[2]) * WIDTH ** (0 if tile[0] == "entries" else tile[0]) > self.size:
                counts[beyond] += 1
            else:
                self.add(int(ranged.group(1)) if ranged else None, key, "not named by any manifest")
        self.notes += [f"{count} {what}" for what, count in counts.items() if count]

    def report(self):
        known = self.manifest or {}
        return {
            "tenant_id": known.get("tenant_id"), "region": known.get("region"),
            "verifier": str(self.verifier) if self.verifier else None, "is_key_pinned": bool(self.pinned and self.verifier),
            "verifiers": [str(verifier) for verifier in self.chain.verifiers] if self.chain else [],
            "generations": len(self.generations), "size": self.size,
            "root": self.tree.root().hex() if self.is_tree_known and self.manifest else None,
            "attachments": self.attachments, "objects": self.folder.objects, "bytes": self.folder.bytes,
            "witnesses": self.witnesses.report if self.witnesses else [], "findings": self.findings, "notes": self.notes,
        }
