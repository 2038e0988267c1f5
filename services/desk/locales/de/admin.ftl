# Die Verwaltung.
admin-nav = Verwaltung
admin-part-desk = Desk
admin-part-safety = Sicherheit
admin-overview = Übersicht
admin-people = Personen
admin-groups = Gruppen
admin-residency = Wo die Daten liegen

admin-done-made = Angelegt.
admin-done-saved = Gespeichert.
admin-done-deleted = Gelöscht.
admin-yes = ja
admin-no = nein
admin-save = Speichern
admin-save-anyway = Auf den neueren Stand speichern
admin-delete = Löschen
admin-overtaken = Jemand anderes war schneller, deshalb wurde nichts gespeichert
admin-overtaken-kept = Ihre Eingaben stehen noch hier. Wo inzwischen etwas anderes gilt, steht es am Feld.
admin-overtaken-now = Inzwischen gilt:

admin-name = Name
admin-email = E-Mail
admin-description = Beschreibung
admin-active = Aktiv

admin-people-team = Team
admin-people-end-users = Endnutzer
admin-people-all = Alle
admin-people-sought = Name oder Adresse
admin-people-count = { $n ->
    [one] { $number } Person
   *[other] { $number } Personen
}
admin-role-hint = Agenten bearbeiten Tickets. Admins ändern außerdem das Desk selbst.
admin-suspended = Gesperrt
admin-suspended-hint = Wer gesperrt ist, kommt nicht mehr herein, gleich womit.
admin-person-new = Neue Person
admin-person-new-lead = Jemand aus dem Team oder jemand, der um Hilfe bitten wird.
admin-person-add = Hinzufügen
admin-person-tickets = Profil und Tickets
admin-person-no-groups = Noch in keiner Gruppe.
admin-person-delete = Diese Person löschen
admin-person-delete-means = Sie kann von da an nichts mehr tun, und ihre Adresse ist wieder frei. Ihre Tickets bleiben. Wer noch eigene offene Tickets hat, kann nicht gelöscht werden.

admin-group-new = Neue Gruppe
admin-group-new-lead = Gruppen bekommen Tickets zugewiesen, und Ansichten können einer Gruppe gehören.
admin-group-add = Hinzufügen
admin-group-private = Privat
admin-group-private-hint = Eine private Gruppe wird nie wieder öffentlich.
admin-group-public = Öffentlich
admin-group-default = Steht an erster Stelle
admin-group-default-hint = Sie ist die Standardgruppe des Desks.
admin-group-first = Erste
admin-group-make-first = An erste Stelle
admin-group-leave = Herausnehmen
admin-group-another = Weitere Gruppe
admin-group-join = Aufnehmen
admin-group-members = Wer dazugehört
admin-group-members-hint = Öffnen Sie eine Person, um sie in eine Gruppe aufzunehmen oder herauszunehmen.
admin-group-delete = Diese Gruppe löschen
admin-group-delete-means = Niemand gehört ihr mehr an, und kein Ticket kann ihr mehr zugewiesen werden. Tickets, die sie nennen, nennen sie weiterhin.

admin-done-issued = Das Token wurde schon ausgestellt und dabei angezeigt. Wer es nicht aufbewahrt hat, beendet es und stellt ein neues aus.
admin-done-ended = Das Token gilt nicht mehr.
admin-tokens = API-Token
admin-token-new = Neues API-Token
admin-token-new-lead = Damit kommt ein Programm herein. Es darf alles, was die Person darf, für die es spricht.
admin-token-for = Wofür es ist
admin-token-person = Spricht für
admin-token-person-hint = Mit dem Token eines Agenten tut ein Programm, was Agenten tun, und nicht mehr.
admin-token-since = Seit
admin-token-expires = Letzter Tag
admin-token-expires-hint = Ohne Angabe gilt das Token, bis es jemand beendet.
admin-token-until = Bis
admin-token-never = Kein Ende
admin-token-issue = Ausstellen
admin-token-issued = Das Token ist ausgestellt
admin-token-end = Beenden
admin-token-over = Beendet
admin-token-use = Programme senden es im Header
