# The console of those who run a region.
ops-title = Operations of region { $region }
ops-promise = Nothing here shows what tickets say or who wrote them.
ops-signin-lead = For those who run this region.
ops-signin-key = Sign-in key
ops-signin-hint = Whoever has access to the region's machine makes one with: domicile operator add
ops-signin-wrong = Nobody operates this region with that key.
ops-overview = Overview
ops-tenants = Tenants
ops-backups = Backups
ops-health = Health
ops-well = Well
ops-unwell = Look here
ops-not-known = This cannot be told now.
ops-ready = Takes requests.
ops-health-desk = Desk
ops-health-tenants = Logs of tenants
ops-health-projections = Read models
ops-health-backup = Newest backup
ops-health-drill = Newest restore drill
ops-held = { $n ->
    [0] All are open.
    [one] One is closed until its log is whole again.
   *[other] { $n } are closed until their logs are whole again.
}
ops-halted = { $n ->
    [0] All go on.
    [one] One is halted.
   *[other] { $n } are halted.
}
ops-backup-none = There is none yet.
ops-backup-newest = Made { $moment }, whole.
ops-backup-newest-incomplete = Made { $moment }, and incomplete.
ops-drill-none = There was none yet.
ops-drill-newest = { $wrong ->
    [0] { $moment }: everything came back as it lives.
    [one] { $moment }: one tenant did not come back as it lives.
   *[other] { $moment }: { $wrong } tenants did not come back as they live.
}
ops-tenants-count = Tenants: { $n }
ops-chart-marks = Events up to each mark
ops-chart-lag = How long the oldest event waits, in seconds
ops-chart-table = As a table
ops-chart-none = Nothing was measured yet; the first values come within ten seconds.
ops-moment = Moment
ops-tenants-lead = Who is at home in this region, and how far the log of each is safe.
ops-tenants-none = Nobody is at home here yet.
ops-tenant = Tenant
ops-plan = Plan
ops-state = Log
ops-since = Here since
ops-state-active = open
ops-state-moving = moving
ops-state-closed = closed
ops-state-behind = closed: behind its archive
ops-state-restoring = closed: being restored
ops-next = Next page
ops-backups-lead = A backup brings the archive of every tenant to one moment, and signs where that is.
ops-backup = Backup
ops-backup-create = Make a backup now
ops-backup-making = A backup is being made.
ops-backup-verifying = A backup is being verified.
ops-progress = Tenants: { $done } of { $total }
ops-refresh = See how far it is
ops-failed = This could not be done.
ops-backup-cut = Of
ops-backup-completed = Completed
ops-backup-keeping = Kept
ops-backup-kept = until { $moment }
ops-backup-stays = as the newest that is whole
ops-backup-over = due: its time is over
ops-backup-unreadable = is no backup of this region
ops-backup-result = { $incomplete ->
    [0] whole
    [one] one tenant incomplete
   *[other] { $incomplete } tenants incomplete
}
ops-backup-verify = Verify this backup
ops-events = Events
ops-result = Result
ops-root = Root
ops-verified = Verified: everything this backup names is there and opens.
ops-verified-incomplete = What this backup holds verifies, but it is incomplete.
ops-verified-wrong = This backup does not verify; see below.
ops-not-checked = Not checked:
ops-tenant-whole = whole
ops-tenant-verified = verified
ops-tenant-incomplete = incomplete
ops-tenant-wrong = wrong
