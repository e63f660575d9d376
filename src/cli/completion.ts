/** `dl7450 completion`: what lets a shell complete the words of this program. */
import { Argument, type Command } from "commander";
import type { Shell } from "./completion/scripts.js";
import type { Context } from "./context.js";
import { examples, type GlobalOptions } from "./options.js";
import { writeJson, writeOut } from "./output.js";

export function addCompletion(program: Command, context: Context): void {
  program
    .command("completion")
    .description("print the script by which a shell completes commands, options, ports, and the tags and keys of the dock")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(SHELLS)))
    .addHelpText("after", INSTALLING)
    .addHelpText("after", examples("dl7450 completion bash > dl7450.bash", "dl7450 completion fish | source"))
    .action(async (shell: Shell, _local: unknown, command: Command) => {
      const { SCRIPTS } = await import("./completion/scripts.js"); // not for --help
      const script = SCRIPTS[shell];
      const { json } = command.optsWithGlobals<GlobalOptions>();
      await (json ? writeJson(context, { shell, script }) : writeOut(context, script));
    });
}

const SHELLS: Readonly<Record<Shell, true>> = { bash: true, zsh: true, fish: true };

const INSTALLING = `
To have it in every shell:
  bash  in ~/.bashrc:                 source <(dl7450 completion bash)
  zsh   in ~/.zshrc, after compinit:  source <(dl7450 completion zsh)
  fish  once:                         dl7450 completion fish > ~/.config/fish/completions/dl7450.fish

At a TAB for a tag or a key the dock is opened that the line or the settings name, for less than a
second. One that is busy, missing or slow has nothing to offer, and nothing is said.`;
