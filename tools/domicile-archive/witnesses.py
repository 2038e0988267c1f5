"""What other regions have cosigned: docs/archive-format.md, "Cosignatures"."""
import datetime
import re

from signed import Wrong, open_checkpoint

NAME = re.compile(r"witness/([a-z][a-z0-9-]{1,15})")


class Witnesses:
    """The cosigned checkpoints of an archive. Each must be a beginning of it."""

    def __init__(self, folder, chain, origin, keys, add):
        self.add, self.heads, self.report, self.keys = add, [], [], keys
        for key in filter(NAME.fullmatch, folder.keys):
            name = f"domicile/{NAME.fullmatch(key).group(1)}"
            note = folder.get(key).decode(errors="replace")
            try:
                (of, size, root), _ = chain.open(lambda verifier: open_checkpoint(note, verifier))
                if of != origin:
                    raise Wrong("belongs to another log")
                self.heads.append((key, size, root))
                self.report.append({"name": name, "size": size, "at": self.time(note, [k for k in keys if k.name == name])})
            except Wrong as wrong:
                add(None, key, wrong)

    @staticmethod
    def time(note, keys):
        """When the witness has cosigned; nothing if none of its keys is given."""
        times = [seconds for seconds in (key.time(note) for key in keys) if seconds is not None]
        if keys and not times:
            raise Wrong(f"not signed by the key: no cosignature by a given key of {keys[0].name}")
        try:
            return datetime.datetime.fromtimestamp(times[0], datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if times else None
        except (OverflowError, ValueError, OSError):
            raise Wrong("cannot be read: cosigned at no time there is") from None

    def compare(self, root_at, size, published):
        """With the archive's roots by size, when it was walked."""
        for key, cosigned, root in self.heads:
            if cosigned > size and cosigned > published:
                self.add(size + 1, key, "the archive ends here and is known to have held more")
            elif root_at(cosigned) not in (None, root):
                self.add(None, key, "another region has cosigned another history under the same key")

    def notes(self, size):
        """What no other region has vouched for."""
        reports = {report["name"]: report for report in self.report}
        for name in sorted({key.name for key in self.keys} | reports.keys()):
            seen = reports.get(name)
            if not seen:
                yield f"not witnessed by {name}: it has cosigned nothing of it"
            elif not seen["at"]:
                yield f"who cosigned up to position {seen['size']} as {name} was not checked: pass its key with --witness"
            elif seen["size"] < size:
                yield f"not witnessed by {name} since {seen['at']}, after position {seen['size']}"
        if not reports and not self.keys:
            yield "not witnessed: no other region has cosigned any of it"
