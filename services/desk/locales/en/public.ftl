# The pages for everybody: landing, a region's own, a tenant's front.
public-landing-title = Domicile: a support desk with a home
public-landing-heading = A support desk that stays where you put it
public-landing-lead = Choose the region your customers’ data lives in. It is stored, backed up and audited there, and you can check that without trusting us.
public-localities = Choose where your desk is at home
public-map = Map of the regions
public-law = Jurisdiction
public-stores = Data and log lie in
public-backups = Backups and archive
public-backups-daily = In the same place, every { $hours } h, kept for { $days } days.
public-backups-asked = In the same place, made when the operator asks, kept for { $days } days.
public-backups-locked = What is archived there can be neither changed nor deleted for { $days } days.
public-plans-here = Plans
public-sign-up = Sign up here
public-leaves = What may leave your region, and why
public-leaves-lead = This is version { $version } of the hosting policy that this page’s own servers run under. What it does not name stays.
public-leaves-nothing = Nothing.
public-plans = What your plan entitles you to
public-plan = Plan
public-plan-place = Where the data lives
public-plan-requests = API requests a minute
public-plan-choice = In the region you choose; that place is promised.
public-plan-default = In the region { $region }; it may be moved, and no place is promised.
public-plan-unlimited = No limit
public-region-lead = This is one region of Domicile. Jurisdiction: { $jurisdiction }. What is stored here stays here.
public-region-sign-up = Sign up here
public-region-others = See the other regions

# What regions and their laws are called; names that an operator gave are shown as they are.
public-place-us = United States
public-place-eu = European Union
public-place-au = Australia
public-place-jp = Japan
public-law-US = United States of America
public-law-EEA = European Economic Area
public-law-AU = Australia
public-law-JP = Japan

# Kinds of data.
public-class-personal = Data about people
public-class-content = What people write and attach
public-class-operational = Ids, states and times
public-class-routing = Address, region and state of a desk

# Where data could go.
public-way-another-region = Another region
public-way-directory = The directory of addresses, which all regions share
public-way-telemetry = Log lines and metrics of the operator
public-way-witness = Another region, as a witness that no history is changed
public-way-webhook = A server that an admin of the desk named
