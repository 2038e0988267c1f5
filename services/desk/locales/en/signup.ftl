# Signing up, and what comes after.
signup-title = Sign up: { $region }
signup-lead = Everything you type here goes straight to this region (jurisdiction: { $jurisdiction }) and stays there.
signup-other-region = Choose another region
signup-mend = Please look at these fields again
signup-desk = Your desk
signup-subdomain = Address
signup-subdomain-hint = 3 to 63 lower-case letters, digits or hyphens
signup-company = Company
signup-plan = Plan
signup-plan-every = Every plan can live here.
signup-plan-choice = Smaller plans cannot choose their region.
signup-plan-elsewhere = Sign up for them here
signup-plan-facts = What each plan is entitled to
signup-admin = You, its first admin
signup-name = Name
signup-email = E-mail
signup-password = Password
signup-password-hint = 10 to 128 characters; a few words in a row are easy to remember and hard to guess
signup-send = Sign up
signup-taken-yours = If you sent this form twice, your desk is there already.
signup-taken-sign-in = Sign in
signup-error-blank = Please fill this in.
signup-error-taken = Another desk has this address already.
signup-error-reserved = This address is reserved. Please choose another one.
signup-error-subdomain = Takes 3 to 63 lower-case letters, digits or hyphens; the first and the last is no hyphen.
signup-error-line = Takes one line of 1 to 255 visible characters.
signup-error-plan = Please choose a plan from the list.
signup-error-locality = Desks on this plan live in the region { $region }. Choosing a region comes with the larger plans.
signup-error-email = Takes an address such as name@example.com.
signup-error-password = Takes 10 to 128 characters.
signup-name-free = This address is free.
signup-ticket-subject = Welcome to your desk
signup-ticket-body = Hello!

    This is a ticket, just as your customers will open them. Feel free to play with it:

    • Write a reply, or an internal note that only your team can see.
    • Give it to somebody, change its priority, or mark it as solved.
    • Look at its history: each step is there, with who did it and when it was archived.

    Nobody outside your team sees this ticket. When you are done, delete it.
welcome-title = Your desk is ready
welcome-lead = It is at { $url }, and its home region is { $region }.
welcome-pending = It needs another moment before it answers. Nothing is lost; just try again shortly.
welcome-sign-in = Sign in
welcome-ticket = Look at your first ticket
welcome-certificate = See where your data lies
welcome-token = Your API token
welcome-token-once = Keep it now: it is shown this once, and we store only its hash.
welcome-api = Open a ticket as a program would
