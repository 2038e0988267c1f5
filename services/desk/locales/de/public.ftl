# Die Seiten für alle: Startseite, die einer Region, die eines Desks.
public-landing-title = Domicile: ein Support-Desk mit festem Wohnsitz
public-landing-heading = Ein Support-Desk, der bleibt, wo Sie ihn hinstellen
public-landing-lead = Wählen Sie die Region, in der die Daten Ihrer Kundinnen und Kunden liegen. Dort werden sie gespeichert, gesichert und geprüft, und Sie können das nachprüfen, ohne uns vertrauen zu müssen.
public-localities = Wo soll Ihr Desk zu Hause sein?
public-map = Karte der Regionen
public-law = Rechtsraum
public-stores = Daten und Log liegen in
public-backups = Sicherungen und Archiv
public-backups-daily = Am selben Ort, alle { $hours } Std., { $days } Tage lang aufbewahrt.
public-backups-asked = Am selben Ort, sobald der Betreiber sie anstößt, { $days } Tage lang aufbewahrt.
public-backups-locked = Archiviertes kann dort { $days } Tage lang weder geändert noch gelöscht werden.
public-plans-here = Tarife
public-sign-up = Hier registrieren
public-leaves = Was Ihre Region verlassen darf, und warum
public-leaves-lead = Das ist Version { $version } der Hosting-Richtlinie, unter der die Server dieser Seite selbst laufen. Was sie nicht nennt, bleibt.
public-leaves-nothing = Nichts.
public-plans = Was Ihr Tarif zusichert
public-plan = Tarif
public-plan-place = Wo die Daten liegen
public-plan-requests = API-Anfragen pro Minute
public-plan-choice = In der Region Ihrer Wahl; dieser Ort ist zugesichert.
public-plan-default = In der Region { $region }; ein Umzug ist möglich, ein Ort ist nicht zugesichert.
public-plan-unlimited = Unbegrenzt
public-region-lead = Das ist eine Region von Domicile. Rechtsraum: { $jurisdiction }. Was hier gespeichert wird, bleibt hier.
public-region-sign-up = Hier registrieren
public-region-others = Die anderen Regionen ansehen

# Wie Regionen und ihr Rechtsraum heißen; Namen, die ein Betreiber vergeben hat, bleiben, wie sie sind.
public-place-us = Vereinigte Staaten
public-place-eu = Europäische Union
public-place-au = Australien
public-place-jp = Japan
public-law-US = Vereinigte Staaten von Amerika
public-law-EEA = Europäischer Wirtschaftsraum
public-law-AU = Australien
public-law-JP = Japan

# Arten von Daten.
public-class-personal = Daten über Personen
public-class-content = Was Menschen schreiben und anhängen
public-class-operational = Kennungen, Zustände und Zeiten
public-class-routing = Adresse, Region und Zustand eines Desks

# Wohin Daten gehen könnten.
public-way-another-region = Eine andere Region
public-way-directory = Das Adressverzeichnis, das alle Regionen teilen
public-way-telemetry = Logzeilen und Messwerte des Betreibers
public-way-witness = Eine andere Region als Zeugin, dass keine Geschichte verändert wird
public-way-webhook = Ein Server, den eine Administratorin oder ein Administrator des Desks benannt hat
