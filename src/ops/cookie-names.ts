/** The console's cookies; over https each is called `__Host-…`, except those that hold nothing of worth. */
export const SESSION_COOKIE = "ponte_ops";
export const DEVICE_COOKIE = "ponte_device";
export const NOTE_COOKIE = "ponte_note";
export const ZONE_COOKIE = "ponte_zone";
