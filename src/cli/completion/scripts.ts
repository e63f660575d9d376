/**
 * What the shells are told, so that they ask `dl7450 __complete` at a TAB. It answers with a line that says what is wanted (`words`, or
 * `files`; with a `=` behind it, when the word at the cursor is like `--port=mock:`), and then with a line for each word. A script never
 * has the shell evaluate anything of that, nor of the line that is typed.
 */

export type Shell = "bash" | "zsh" | "fish";

/** bash puts in what it gets as it is, so it gets it quoted: it says how the line is typed, and which end of it is to be replaced. */
const BASH = `# Completion of dl7450 for bash. In ~/.bashrc: source <(dl7450 completion bash)
_dl7450() {
  local line kind=
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ -z $kind ]]; then kind=$line; else COMPREPLY+=("$line"); fi
  done < <(dl7450 __complete bash "\${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null </dev/null)
  if [[ $kind == files* ]]; then compopt -o default 2>/dev/null; fi
  return 0
}
complete -F _dl7450 dl7450
`;

/** zsh quotes what it puts in. (Q) takes quotes away, and evaluates nothing. */
const ZSH = `#compdef dl7450
# Completion of dl7450 for zsh. In ~/.zshrc, after compinit: source <(dl7450 completion zsh)
_dl7450() {
  local kind
  local -a lines
  lines=("\${(@f)$(dl7450 __complete zsh "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null </dev/null)}")
  kind=$lines[1]
  shift lines
  [[ $kind == *= ]] && compset -P 1 '*='
  case $kind in
    files*) _files ;;
    words*) _describe 'dl7450' lines ;;
  esac
}
if [[ $funcstack[1] == _dl7450 ]]; then _dl7450 "$@"; else compdef _dl7450 dl7450; fi
`;

/** fish quotes what it puts in, too. It gives the word at the cursor as it is typed, perhaps with a quotation mark that is open. */
const FISH = String.raw`# Completion of dl7450 for fish: dl7450 completion fish > ~/.config/fish/completions/dl7450.fish
function __dl7450_complete
    set -l before (commandline -opc)
    set -l typed (commandline -ct | string collect)
    set -l word (string unescape -- "$typed"; or string unescape -- "$typed'"; or string unescape -- "$typed\"")
    set -l lines (dl7450 __complete fish $before[2..-1] "$word" 2>/dev/null </dev/null)
    switch "$lines[1]"
        case files
            __fish_complete_path "$word"
        case 'files='
            set -l parts (string split -m 1 = -- "$word")
            for path in (__fish_complete_path "$parts[2]")
                printf '%s=%s\n' $parts[1] $path
            end
        case '*'
            printf '%s\n' $lines[2..-1]
    end
end
complete -c dl7450 -e
complete -c dl7450 -f -a '(__dl7450_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
