# Der Arbeitsplatz derer, die Tickets bearbeiten.
agent-nav = Desk
agent-nav-views = Ansichten
agent-nav-new = Neues Ticket

agent-views = Ansichten
agent-views-tickets = { $n ->
    [one] Ticket
   *[other] Tickets
}
agent-views-count = { $n ->
    [one] { $number } Ticket
   *[other] { $number } Tickets
}
agent-views-empty = In dieser Ansicht gibt es keine Tickets.
agent-view-mine = Ihre ungelösten Tickets
agent-view-unassigned = Nicht zugewiesen
agent-view-unsolved = Alle ungelösten
agent-view-solved = Kürzlich gelöst
agent-pages = Seiten
agent-pages-previous = Vorige Seite
agent-pages-next = Nächste Seite

agent-column-number = Nummer
agent-column-submitter = Eingereicht von
agent-column-created = Angefragt
agent-column-updated = Geändert

agent-field-subject = Betreff
agent-field-status = Status
agent-field-priority = Priorität
agent-field-type = Art
agent-field-requester = Anfragende Person
agent-field-assignee = Zugewiesen an
agent-field-group = Gruppe
agent-field-tags = Schlagwörter
agent-field-ccs = Kopien an
agent-field-followers = Beobachtende
agent-field-due = Fällig
agent-field-problem = Problem
agent-field-external = Externe Kennung
agent-field-recipient = Eingegangen bei
agent-field-comment = Kommentar
agent-field-files = Dateien
agent-fields = Eigenschaften
agent-faults = Bitte sehen Sie sich das noch einmal an

agent-status-new = Neu
agent-status-open = Offen
agent-status-pending = Wartend
agent-status-hold = Angehalten
agent-status-solved = Gelöst
agent-status-closed = Geschlossen
agent-priority-low = Niedrig
agent-priority-normal = Normal
agent-priority-high = Hoch
agent-priority-urgent = Dringend
agent-type-question = Frage
agent-type-incident = Vorfall
agent-type-problem = Problem
agent-type-task = Aufgabe

agent-new-title = Neues Ticket
agent-new-requester = E-Mail-Adresse der anfragenden Person
agent-new-requester-hint = Noch unbekannt? Die Person wird mit diesem Ticket angelegt. Lassen Sie das Feld leer, um das Ticket für sich selbst zu eröffnen.
agent-new-name = Name der anfragenden Person
agent-new-submit = Ticket eröffnen
agent-said = Wer es liest
agent-said-reply = Öffentlich: die anfragende Person liest mit
agent-said-note = Interne Notiz: nur das Team liest sie

agent-answer = Antwort
agent-send = Speichern
agent-send-anyway = Auf dem neueren Stand speichern
agent-macro = Makro
agent-macro-apply = Einfügen
agent-macro-filled = Das Makro ist eingefügt. Gespeichert ist noch nichts.
agent-conflict = Jemand war schneller, deshalb wurde nichts gespeichert
agent-conflict-kept = Ihr Entwurf ist noch da. Felder, die Sie nicht angefasst haben, zeigen jetzt den neueren Stand; was inzwischen gesagt wurde, steht unten.
agent-conflict-changed = Inzwischen geändert:
agent-closed = Dieses Ticket ist geschlossen und ändert sich nicht mehr.
agent-thread = Verlauf, Neuestes zuerst
agent-thread-newest = Zurück zum Neuesten
agent-thread-older = Ältere Einträge
agent-note = Interne Notiz
agent-system = Domicile
agent-change-to = ist jetzt
agent-change-nothing = nichts
agent-change-rule = durch den Trigger

agent-history = Verlauf
agent-history-title = Verlauf von Ticket #{ $id }
agent-history-step = Ereignis { $version } von { $last }
agent-history-previous = Zurück
agent-history-next = Weiter
agent-history-show = Anzeigen
agent-history-then = Das Ticket am
agent-history-not-there = Nach diesem Ereignis gibt es kein Ticket zu zeigen.
agent-history-events = Ereignisse
agent-history-position = Position { $position } im Protokoll.
agent-history-proof = Beweis dieses Ereignisses herunterladen
agent-history-no-proof = Den Beweis können Admins und Prüfende herunterladen.
agent-history-comments = { $n ->
    [one] { $n } Kommentar
   *[other] { $n } Kommentare
}
agent-event-opened = Das Ticket wurde eröffnet
agent-event-comment = Es wurde etwas gesagt
agent-event-changed = Es wurde etwas geändert
agent-event-rule = Ein Trigger begann zu wirken
agent-event-imported = Das Ticket wurde importiert
agent-event-followup = Es setzt ein anderes Ticket fort
agent-event-deleted = Das Ticket wurde gelöscht
agent-event-restored = Das Ticket wurde wiederhergestellt
agent-event-erased = Das Ticket wurde endgültig entfernt
agent-event-gone = Was geschah, wurde endgültig entfernt

agent-search = Suche
agent-search-hint = Wörter oder Fragen wie
agent-search-nothing = Es wurde nichts gefunden.
agent-search-count = { $n ->
    [one] { $number } Ergebnis
   *[other] { $number } Ergebnisse
}
agent-search-tickets = Tickets
agent-search-people = Personen
agent-organizations = Organisationen
agent-details = Einzelheiten
agent-notes = Notizen
agent-person-role = Rolle
agent-person-reached = Erreichbar unter
agent-person-phone = Telefon
agent-person-since = Bekannt seit
agent-person-requested = Angefragte Tickets
agent-person-assigned = Zugewiesene Tickets
agent-organization-domains = Domains
agent-organization-people = Personen
agent-organization-tickets = Tickets
agent-role-admin = Admin
agent-role-agent = Agent
agent-role-auditor = Prüfer
agent-role-end-user = Endnutzer
agent-views-empty-here = Keine.
agent-field-into = Geht weiter in Ticket
agent-merge = Zusammenführen
agent-merge-title = Ticket #{ $id } mit einem anderen zusammenführen
agent-merge-hint = Die Nummer des Tickets, in dem es weitergeht. Dieses hier wird endgültig geschlossen; wer es angefragt hat, bekommt Kopien der Mails des anderen.
agent-merge-target = Notiz am Ticket, in dem es weitergeht
agent-merge-source = Notiz an diesem Ticket
agent-merge-into-said = Ticket #{ $id } wurde geschlossen und geht hier weiter.
agent-merge-from-said = Dieses Ticket wurde geschlossen und geht in einem anderen weiter.

agent-saved = Gespeichert.
agent-draft-restored = Ihr nicht gesendeter Entwurf ist wieder da.
agent-live-moved = Dieses Ticket hat sich geändert. Das Neue steht unten; Ihr Entwurf ist unberührt.
agent-live-looking = { $name } sieht sich dieses Ticket an.
agent-live-typing = { $name } schreibt gerade.
agent-keys = Tasten
agent-close = Schließen
agent-key-step = Weiter, zurück
agent-key-open = Markiertes öffnen
agent-key-reply = Öffentlich antworten
agent-key-note = Notiz schreiben
agent-key-keys = Diese Liste
