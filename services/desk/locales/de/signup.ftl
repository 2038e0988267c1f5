# Die Registrierung, und was danach kommt.
signup-title = Registrieren: { $region }
signup-lead = Was Sie hier eingeben, geht geradewegs in diese Region (Rechtsraum: { $jurisdiction }) und bleibt dort.
signup-other-region = Eine andere Region wählen
signup-mend = Bitte sehen Sie diese Felder noch einmal an
signup-desk = Ihr Desk
signup-subdomain = Adresse
signup-subdomain-hint = 3 bis 63 Kleinbuchstaben, Ziffern oder Bindestriche
signup-company = Unternehmen
signup-plan = Tarif
signup-plan-every = Hier kann jeder Tarif zu Hause sein.
signup-plan-choice = Kleinere Tarife können ihre Region nicht wählen.
signup-plan-elsewhere = Für diese hier registrieren
signup-plan-facts = Was welcher Tarif zusichert
signup-admin = Ihr Admin-Konto
signup-name = Name
signup-email = E-Mail
signup-password = Passwort
signup-password-hint = 10 bis 128 Zeichen; einige Wörter hintereinander merken Sie sich leicht, und erraten lassen sie sich schwer
signup-send = Registrieren
signup-taken-yours = Falls Sie dieses Formular zweimal gesendet haben, gibt es Ihren Desk bereits.
signup-taken-sign-in = Anmelden
signup-error-blank = Bitte füllen Sie dieses Feld aus.
signup-error-taken = Ein anderer Desk hat diese Adresse bereits.
signup-error-reserved = Diese Adresse ist reserviert. Bitte wählen Sie eine andere.
signup-error-subdomain = Möglich sind 3 bis 63 Kleinbuchstaben, Ziffern oder Bindestriche; am Anfang und am Ende steht kein Bindestrich.
signup-error-line = Möglich ist eine Zeile mit 1 bis 255 sichtbaren Zeichen.
signup-error-plan = Bitte wählen Sie einen Tarif aus der Liste.
signup-error-locality = Desks mit diesem Tarif sind in der Region { $region } zu Hause. Die Wahl der Region gehört zu den größeren Tarifen.
signup-error-email = Möglich ist eine Adresse wie name@example.com.
signup-error-password = Möglich sind 10 bis 128 Zeichen.
signup-name-free = Diese Adresse ist frei.
signup-ticket-subject = Willkommen an Ihrem Desk
signup-ticket-body = Guten Tag!

    Das ist ein Ticket, genau wie Ihre Kundinnen und Kunden sie eröffnen werden. Probieren Sie es aus:

    • Schreiben Sie eine Antwort oder eine interne Notiz, die nur Ihr Team sieht.
    • Weisen Sie es jemandem zu, ändern Sie die Priorität oder markieren Sie es als gelöst.
    • Sehen Sie sich den Verlauf an: Dort steht jeder Schritt, von wem er kam und wann er archiviert wurde.

    Niemand außerhalb Ihres Teams sieht dieses Ticket. Wenn Sie fertig sind, löschen Sie es einfach.
welcome-title = Ihr Desk steht bereit
welcome-lead = Er hat die Adresse { $url }, und seine Heimatregion ist { $region }.
welcome-pending = Er braucht noch einen Moment, bis er antwortet. Nichts ist verloren; versuchen Sie es gleich noch einmal.
welcome-sign-in = Anmelden
welcome-ticket = Zu Ihrem ersten Ticket
welcome-certificate = Sehen, wo Ihre Daten liegen
welcome-token = Ihr API-Token
welcome-token-once = Bewahren Sie es jetzt auf: Es wird nur dieses eine Mal gezeigt, und wir speichern nur seinen Hashwert.
welcome-api = Ein Ticket eröffnen, wie es ein Programm täte
