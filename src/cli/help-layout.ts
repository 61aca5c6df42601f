import { Help, type HelpConfiguration } from "commander";

/** With less room than this, commander does not wrap. */
const LEAST_ROOM = 30;
const TERM_INDENT = "  ";
const BELOW = "      ";
/** Around a term: its indentation, and the gap to the description beside it. */
const AROUND_TERM = 4;

/** A description that has too little room beside its term goes below it: also a narrow terminal breaks it between words. */
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
