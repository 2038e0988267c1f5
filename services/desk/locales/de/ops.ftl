# Die Konsole derer, die eine Region betreiben.
ops-title = Betrieb der Region { $region }
ops-promise = Hier ist nichts von dem zu sehen, was in Tickets steht oder wer sie schrieb.
ops-signin-lead = Für alle, die diese Region betreiben.
ops-signin-key = Anmeldeschlüssel
ops-signin-hint = Wer Zugang zum Rechner der Region hat, erstellt ihn mit: domicile operator add
ops-signin-wrong = Mit diesem Schlüssel betreibt niemand diese Region.
ops-overview = Übersicht
ops-tenants = Mandanten
ops-backups = Sicherungen
ops-health = Zustand
ops-well = In Ordnung
ops-unwell = Bitte ansehen
ops-not-known = Das lässt sich gerade nicht sagen.
ops-ready = Nimmt Anfragen an.
ops-health-desk = Desk
ops-health-tenants = Logs der Mandanten
ops-health-projections = Lesemodelle
ops-health-backup = Neueste Sicherung
ops-health-drill = Neueste Wiederherstellungsübung
ops-held = { $n ->
    [0] Alle sind offen.
    [one] Einer ist geschlossen, bis sein Log wieder vollständig ist.
   *[other] { $n } sind geschlossen, bis ihre Logs wieder vollständig sind.
}
ops-halted = { $n ->
    [0] Alle laufen.
    [one] Eines steht.
   *[other] { $n } stehen.
}
ops-backup-none = Es gibt noch keine.
ops-backup-newest = Vom { $moment }, vollständig.
ops-backup-newest-incomplete = Vom { $moment }, unvollständig.
ops-drill-none = Es gab noch keine.
ops-drill-newest = { $wrong ->
    [0] { $moment }: Alles kam so zurück, wie es lebt.
    [one] { $moment }: Ein Mandant kam nicht so zurück, wie er lebt.
   *[other] { $moment }: { $wrong } Mandanten kamen nicht so zurück, wie sie leben.
}
ops-tenants-count = Mandanten: { $n }
ops-chart-marks = Ereignisse bis zu jeder Marke
ops-chart-lag = Wie lange das älteste Ereignis wartet, in Sekunden
ops-chart-table = Als Tabelle
ops-chart-none = Es wurde noch nichts gemessen; die ersten Werte kommen binnen zehn Sekunden.
ops-moment = Zeitpunkt
ops-tenants-lead = Wer in dieser Region zu Hause ist, und wie weit jedes Log gesichert ist.
ops-tenants-none = Hier ist noch niemand zu Hause.
ops-tenant = Mandant
ops-plan = Tarif
ops-state = Log
ops-since = Hier seit
ops-state-active = offen
ops-state-moving = zieht um
ops-state-closed = geschlossen
ops-state-behind = geschlossen: hinter seinem Archiv
ops-state-restoring = geschlossen: wird wiederhergestellt
ops-next = Nächste Seite
ops-backups-lead = Eine Sicherung bringt das Archiv jedes Mandanten auf einen Zeitpunkt und signiert, wo der liegt.
ops-backup = Sicherung
ops-backup-create = Jetzt eine Sicherung erstellen
ops-backup-making = Eine Sicherung wird erstellt.
ops-backup-verifying = Eine Sicherung wird geprüft.
ops-progress = Mandanten: { $done } von { $total }
ops-refresh = Nachsehen, wie weit es ist
ops-failed = Das war nicht möglich.
ops-backup-cut = Stand
ops-backup-completed = Fertig
ops-backup-keeping = Aufbewahrt
ops-backup-kept = bis { $moment }
ops-backup-stays = als neueste vollständige
ops-backup-over = fällig: die Frist ist vorbei
ops-backup-unreadable = ist keine Sicherung dieser Region
ops-backup-result = { $incomplete ->
    [0] vollständig
    [one] ein Mandant unvollständig
   *[other] { $incomplete } Mandanten unvollständig
}
ops-backup-verify = Diese Sicherung prüfen
ops-events = Ereignisse
ops-result = Ergebnis
ops-root = Wurzel
ops-verified = Geprüft: Alles, was diese Sicherung nennt, ist da und lässt sich öffnen.
ops-verified-incomplete = Was diese Sicherung enthält, besteht die Prüfung, aber sie ist unvollständig.
ops-verified-wrong = Diese Sicherung besteht die Prüfung nicht; siehe unten.
ops-not-checked = Nicht geprüft:
ops-tenant-whole = vollständig
ops-tenant-verified = geprüft
ops-tenant-incomplete = unvollständig
ops-tenant-wrong = fehlerhaft
