// What every page does when a script may run: it tells the server the reader's time zone, for the next page.
"use strict";
{
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.includes(`domicile_zone=${zone}`)) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `domicile_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  }
}
