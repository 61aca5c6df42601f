import { Help, type HelpConfiguration } from "commander";

/** commander does not wrap into fewer columns than this. */
const LEAST_ROOM = 30;
const TERM_INDENT = "  ";
const BELOW = "      ";
/** Around a term: its indentation, and the gap to the description beside it. */
const AROUND_TERM = 4;

/** Puts a description below its term if it has too little room beside it, so that a narrow terminal breaks it between words. */
export const HELP_LAYOUT: HelpConfiguration = {
  minWidthToWrap: LEAST_ROOM,
  formatItem(term, termWidth, description, helper) {
    const width = helper.helpWidth ?? 80;
    if (description === "" || width - termWidth - AROUND_TERM >= LEAST_ROOM)
      return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);

    const lines = helper.boxWrap(description, width - BELOW.length).split("\n");
    return [TERM_INDENT + term, ...lines.map((line) => BELOW + line)].join("\n");
  },
};
