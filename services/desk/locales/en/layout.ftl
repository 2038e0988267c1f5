# What surrounds every page.
layout-skip = Skip to the content
layout-promise = Tickets, people, attachments, backups and audit logs of a desk live in its home region and nowhere else.
layout-language = Language
