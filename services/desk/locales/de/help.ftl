# Das Hilfezentrum: fragen, verfolgen, die eigenen Daten.
help-navigation = Hilfezentrum
help-requests = Ihre Anfragen
help-new = Anfrage stellen
help-data = Ihre Daten
help-none = Sie haben noch keine Anfrage gestellt.
help-number = Nr. { $number }
help-pages = Seiten
help-newest = Neueste
help-older = Ältere
help-earlier = Frühere Beiträge anzeigen
help-mend = Bitte korrigieren Sie diese Felder
help-subject = Betreff
help-subject-blank = Sagen Sie in wenigen Worten, worum es geht
help-body = Was ist passiert?
help-body-hint = Was Sie getan haben, was Sie erwartet haben und was stattdessen geschah.
help-body-blank = Schreiben Sie zuerst etwas
help-reply = Ihre Antwort
help-solved = Für mich ist das gelöst
help-send = Senden
help-you = Sie
help-files = Dateien
help-is-closed = Diese Anfrage ist geschlossen und nimmt keine Antworten mehr an.
help-status-open = In Bearbeitung
help-status-pending = Wartet auf Ihre Antwort
help-status-solved = Gelöst
help-status-closed = Geschlossen
help-data-where = Sie liegen in { $region } (Rechtsraum: { $jurisdiction }) und nirgends sonst.
help-data-name = Name
help-data-verified = bestätigt
help-data-since = Bekannt seit
help-data-take = Mitnehmen
help-data-take-what = Ihr Profil, Ihre Anfragen und alle Beiträge darin, die Sie lesen dürfen, als JSON.
help-data-file = Datei { $part } von { $parts }
help-erasure = Löschen lassen
help-erasure-what = Damit bitten Sie den Desk, die über Sie gespeicherten Daten zu löschen. Sie erfahren, was gelöscht wird und was aus welchem Grund aufbewahrt werden muss.
help-erasure-ask = Löschung verlangen
help-erasure-subject = Bitte löschen Sie die über mich gespeicherten Daten
help-erasure-body = Ich bitte Sie, die über mich gespeicherten personenbezogenen Daten zu löschen (Art. 17 DSGVO oder das für mich geltende Recht). Bitte teilen Sie mir mit, was gelöscht wurde und was Sie aus welchem Grund aufbewahren müssen.
help-data-requests =
    { $count ->
        [one] Eine Anfrage
       *[other] { $count } Anfragen
    }
