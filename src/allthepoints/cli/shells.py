"""The scripts for bash, zsh and fish. All do the same: walk the words before the cursor to the command they name, and
answer what may follow. What they know stands in them as tables; names of channels they ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from allthepoints.cli.grammar import GLOBALS, Command, Option, Value

LAST = 9
"""Places of a command that takes any number of values."""


def bash(commands: Sequence[Command]) -> str:
    """For bash 3.2 and newer, with or without the package bash-completion."""
    return _BASH % {
        "commands": _arms((_quoted(f"{one.path} ".lstrip()), f'path="{one.path}"') for one in commands if one.path),
        "valued": _arms(_valued(commands, _action)),
        "places": _arms(_places(commands, _action)),
        "options": _arms((_quoted(one.path), f'words="{" ".join(_option_names(one))}"') for one in commands),
    }


def zsh(commands: Sequence[Command]) -> str:
    """For zsh, as a file in $fpath or by `source`."""
    return _ZSH % {
        "commands": _arms((_quoted(f"{one.path} ".lstrip()), f'at="{one.path}"') for one in commands if one.path),
        "valued": _arms(_valued(commands, _action)),
        "places": _arms((*_described_children(commands), *_places(commands, _action, children=False))),
        "options": _arms((_quoted(one.path), f"found=({_described(_options(one))})") for one in commands),
    }


def fish(commands: Sequence[Command]) -> str:
    """For fish 3.1 and newer."""
    lines = [f"complete -c allthepoints {_fish_option(option)}" for option in GLOBALS]
    lines += [line for one in commands for line in _fish_command(one)]
    options = [*GLOBALS, *(option for one in commands for option in one.options)]
    valued = sorted({name for option in options if option.value is not None for name in option.names})
    return _FISH % {
        "commands": " ".join(_fish_quoted(one.path) for one in commands if one.path),
        "valued": " ".join(valued),
        "lines": "\n".join(lines),
    }


# -- tables for `case` -------------------------------------------------------------------------------------------------
Action = Callable[[Value], str]


def _arms(arms: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"        {pattern}) {what} ;;" for pattern, what in arms)


def _action(value: Value) -> str:
    return f'words="{" ".join(value.words)}"' if value.words else f"kind={value.kind or 'none'}"


def _valued(commands: Sequence[Command], action: Action) -> list[tuple[str, str]]:
    """Each option that takes a value, behind the path of its command."""
    own = [
        ("|".join(_quoted(f"{one.path} {name}".strip()) for name in option.names), action(option.value))
        for one in commands
        for option in one.options
        if option.value is not None
    ]
    return [*own, *((f"*{one.names[0]}", action(one.value)) for one in GLOBALS if one.value is not None)]


def _places(commands: Sequence[Command], action: Action, children: bool = True) -> list[tuple[str, str]]:
    """What may stand at each place of each command, counted from 0."""
    arms: list[tuple[str, str]] = []
    for one in commands:
        if one.children and children:
            arms.append((_quoted(f"{one.path} 0".strip()), f'words="{" ".join(name for name, _ in one.children)}"'))
        for at, value in enumerate(one.values):
            places = range(at, LAST) if one.many and at == len(one.values) - 1 else [at]
            arms.append(("|".join(_quoted(f"{one.path} {place}") for place in places), action(value)))
    return arms


def _described_children(commands: Sequence[Command]) -> list[tuple[str, str]]:
    return [
        (_quoted(f"{one.path} 0".strip()), f"found=({_described(one.children)})") for one in commands if one.children
    ]


def _options(command: Command) -> list[tuple[str, str]]:
    return [(name, option.help) for option in (*command.options, *GLOBALS) for name in option.names]


def _option_names(command: Command) -> list[str]:
    return [name for name, _ in _options(command)]


def _described(entries: Iterable[tuple[str, str]]) -> str:
    return " ".join(_quoted(f"{name}:{text.replace(':', chr(92) + ':')}") for name, text in entries)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


# -- fish --------------------------------------------------------------------------------------------------------------
def _fish_command(command: Command) -> list[str]:
    here = f"complete -c allthepoints -n {_fish_quoted(f'__allthepoints_at {_fish_quoted(command.path)}')}"
    lines = [f"{here} -a {name} -d {_fish_quoted(text)}" for name, text in command.children]
    lines += [f"{here} {_fish_option(option)}" for option in command.options]
    for at, value in enumerate(command.values):
        place = f"{at} many" if command.many and at == len(command.values) - 1 else str(at)
        when = _fish_quoted(f"__allthepoints_at {_fish_quoted(command.path)} {place}")
        if values := _fish_values(value):
            lines.append(f"complete -c allthepoints -n {when} -a {_fish_quoted(values)}")
    return lines


def _fish_option(option: Option) -> str:
    names = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names]
    parts = [*names, "-d", _fish_quoted(option.help)]
    if option.value is not None:
        values = _fish_values(option.value)
        parts += ["-x", *(["-a", _fish_quoted(values)] if values else [])]
    return " ".join(parts)


def _fish_values(value: Value) -> str:
    kinds = {
        "file": "(__fish_complete_path (commandline -ct))",
        "dir": "(__fish_complete_directories (commandline -ct))",
        "channel": "(__allthepoints_channels)",
    }
    return " ".join(value.words) or kinds.get(value.kind, "")


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


# -- the scripts -------------------------------------------------------------------------------------------------------
_BASH = r"""# Completion of allthepoints for bash.
_allthepoints_valued() {
    kind= words=
    case $1 in
%(valued)s
        *) return 1 ;;
    esac
}

_allthepoints() {
    local cur=${COMP_WORDS[COMP_CWORD]} path= kind= words= place=0 waiting= word i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == "=" ]]; then continue; fi
        if [[ -n $waiting ]]; then waiting=; continue; fi
        if [[ $word == -* ]]; then
            if _allthepoints_valued "${path:+$path }$word"; then waiting=1; fi
            continue
        fi
        case "${path:+$path }$word " in
%(commands)s
        *) place=$((place + 1)) ;;
        esac
    done
    if [[ $cur == "=" ]]; then cur=; fi
    if [[ -z $waiting ]]; then
        kind= words=
        if [[ $cur == -* ]]; then
            case $path in
%(options)s
            esac
        else
            case "${path:+$path }$place" in
%(places)s
            esac
        fi
    fi
    case $kind in
        file) compopt -o filenames 2>/dev/null; words=$(compgen -f -- "$cur") ;;
        dir) compopt -o filenames 2>/dev/null; words=$(compgen -d -- "$cur") ;;
        channel) words=$(compgen -W "$("${COMP_WORDS[0]}" completion --names 2>/dev/null)" -- "$cur") ;;
        none) words= ;;
        *) words=$(compgen -W "$words" -- "$cur") ;;
    esac
    while IFS= read -r word; do
        if [[ -n $word ]]; then COMPREPLY+=("$word"); fi
    done <<<"$words"
}

complete -F _allthepoints allthepoints atp
"""

_ZSH = r"""#compdef allthepoints atp
# Completion of allthepoints for zsh.
_allthepoints_valued() {
    kind= words_=
    local words=
    case $1 in
%(valued)s
        *) return 1 ;;
    esac
    words_=$words
}

_allthepoints_places() {
    local words=
    found=() kind= words_=
    case $1 in
%(places)s
    esac
    words_=$words
}

_allthepoints() {
    local cur=${words[CURRENT]} program=${words[1]} at= kind= words_= place=0 waiting= word
    local -a found
    for word in "${(@)words[2,CURRENT-1]}"; do
        if [[ -n $waiting ]]; then waiting=; continue; fi
        if [[ $word == -* ]]; then
            if _allthepoints_valued "${at:+$at }$word"; then waiting=1; fi
            continue
        fi
        case "${at:+$at }$word " in
%(commands)s
        *) place=$((place + 1)) ;;
        esac
    done
    if [[ -z $waiting ]]; then
        kind= words_=
        if [[ $cur == -* ]]; then
            case $at in
%(options)s
            esac
        else
            _allthepoints_places "${at:+$at }$place"
        fi
    fi
    case $kind in
        file) _files ;;
        dir) _files -/ ;;
        channel) compadd -- ${(f)"$($program completion --names 2>/dev/null)"} ;;
        none) ;;
        *) if (( $#found )); then _describe 'allthepoints' found; else compadd -- ${=words_}; fi ;;
    esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _allthepoints "$@"
else
    compdef _allthepoints allthepoints atp
fi
"""

_FISH = r"""# Completion of allthepoints for fish.
function __allthepoints_at -d 'Whether the words before the cursor name this command, and so many values behind it'
    set -l commands %(commands)s
    set -l valued %(valued)s
    set -l path ''
    set -l place 0
    set -l waiting 0
    for word in (commandline -opc)[2..-1]
        if test $waiting = 1
            set waiting 0
        else if string match -q -- '-*' $word
            if contains -- $word $valued
                set waiting 1
            end
        else
            set -l longer (string trim -- "$path $word")
            if contains -- $longer $commands
                set path $longer
            else
                set place (math $place + 1)
            end
        end
    end
    test "$path" = "$argv[1]"; or return 1
    test (count $argv) -lt 2; or test $place = $argv[2]; or begin
        test (count $argv) = 3; and test $place -ge $argv[2]
    end
end

function __allthepoints_channels
    set -l words (commandline -opc)
    $words[1] completion --names 2>/dev/null
end

complete -c allthepoints -f
complete -c atp -w allthepoints
%(lines)s
"""
