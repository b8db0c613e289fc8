/** A play as text: commands, each with what it printed below `----`. */
export interface Act {
  /** Comments and blank lines before the command, kept as they are. */
  readonly preface: string;
  readonly command: string;
  readonly printed: string;
}

const RULE = "----";

export function parseScript(text: string): Act[] {
  const acts: Act[] = [];
  let preface = "";
  let command: string | null = null;
  let printed: string[] | null = null;
  const end = (): void => {
    const comments = preface.replace(/^\n+/, "");
    if (command !== null)
      acts.push({ preface: comments, command, printed: (printed ?? []).join("\n") });
    [preface, command, printed] = ["", null, null];
  };
  for (const line of text.split("\n")) {
    if (printed && line !== "") printed.push(line);
    else if (printed) end();
    else if (command !== null && line === RULE) printed = [];
    else if (line === "" || line.startsWith("#")) {
      if (command !== null) end();
      preface += `${line}\n`;
    } else {
      if (command !== null) end();
      command = line;
    }
  }
  end();
  return acts;
}

export const formatScript = (acts: readonly Act[]): string =>
  acts
    .map(({ preface, command, printed }) => {
      const head = `${preface}${command}\n${RULE}\n`;
      return printed === "" ? `${head}\n` : `${head}${printed}\n\n`;
    })
    .join("")
    .trimEnd()
    .concat("\n");
