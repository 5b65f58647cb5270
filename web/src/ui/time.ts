const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "short", timeStyle: "medium" });

/** Return the time of day, where the trader is. */
export const clock = (moment: string | number) => CLOCK.format(new Date(moment));

/** Return day and time, where the trader is. */
export const dateTime = (moment: string) => DATE.format(new Date(moment)).replace(",", "");
