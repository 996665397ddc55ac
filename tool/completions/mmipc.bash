# SPDX-License-Identifier: Apache-2.0
# bash completion of mmipc. It needs no functions of the package bash-completion.

# Sets words and cword. bash splits the words at :, = and @ too; parts without blanks between them are one word here.
_mmipc_words() {
    local line=$COMP_LINE part i
    words=() cword=0
    for ((i = 0; i <= COMP_CWORD; i++)); do
        part=${COMP_WORDS[i]}
        if ((i > 0)) && [[ -n $line && $line != [[:blank:]]* ]]; then
            words[cword]+=$part
        else
            cword=${#words[@]}
            words[cword]=$part
        fi
        line=${line#"${line%%[![:blank:]]*}"}
        line=${line#"$part"}
    done
}

# Adds the arguments that begin with $cur.
_mmipc_add() {
    local word
    for word in "$@"; do
        [[ $word != "$cur"* ]] || COMPREPLY+=("$word")
    done
}

# Adds what compgen lists; arguments: its option, the beginning, and what precedes this in the word.
_mmipc_compgen() {
    local line
    while IFS= read -r line; do
        COMPREPLY+=("$3$line")
    done < <(compgen "$1" -- "$2" 2>/dev/null)
}

# Adds files or directories; the arguments are those of _mmipc_compgen.
_mmipc_files() {
    _mmipc_compgen "$@"
    compopt -o filenames 2>/dev/null
}

# Adds the addresses of servers to which the library can connect, if they need no escapes.
_mmipc_servers() {
    local address
    while IFS= read -r address; do
        address=${address#*: \"}
        address=${address%%\"*}
        [[ $address != "$cur"* ]] || COMPREPLY+=("$(printf '%q' "$address")")
    done < <(
        "${words[0]}" list --json 2>/dev/null </dev/null |
            grep -o '"address": "[^"\\]*", "kind": "[a-z]*", "name": "[^"\\]*", "padded": [tn]' 2>/dev/null | sort -u
    )
}

# Adds addresses; the argument is the command.
_mmipc_addresses() {
    if [[ $cur == path:* ]]; then
        _mmipc_files -f "${cur#path:}" path:
        return
    fi
    # A new server cannot have the address of another one.
    [[ $1 == listen ]] || _mmipc_servers
    if [[ path: == "$cur"* ]]; then
        COMPREPLY+=(path:)
        compopt -o nospace 2>/dev/null
    fi
}

# Whether an option has a value, in the next word.
_mmipc_has_value() {
    case $1 in
        --allow-gid | --allow-uid | --color | --count | --exec | --fd | --format | --interval | --mode | --open) ;;
        --reply | --reply-file | --save-fds | --size | --time | --timeout) ;;
        *) return 1 ;;
    esac
}

# Adds the values of an option that begin with $cur.
_mmipc_values() {
    case $1 in
        --allow-gid) _mmipc_compgen -g "$cur" "" ;;
        --allow-uid) _mmipc_compgen -u "$cur" "" ;;
        --color) _mmipc_add auto always never ;;
        --exec) _mmipc_compgen -c "$cur" "" ;;
        --format) _mmipc_add text quoted hex json raw ;;
        --open | --reply-file) _mmipc_files -f "$cur" "" ;;
        --save-fds) _mmipc_files -d "$cur" "" ;;
    esac
}

# Adds what can be at the cursor.
_mmipc_candidates() {
    local command options option i is_after_end=0 addresses=0

    if ((cword == 1)); then
        _mmipc_add list listen send connect wait pass bench help --help --version
        return
    fi
    command=${words[1]}
    case $command in
        list) options="--json --watch --color" ;;
        listen)
            options="--format --reply --reply-file --echo --exec --count --once --save-fds --mode"
            options+=" --allow-uid --allow-gid"
            ;;
        send) options="--lines --null --whole --fd --open --wait-reply --format --timeout --count --interval" ;;
        connect) options="--format --timeout" ;;
        wait) options="--timeout" ;;
        pass) options="--timeout --listen --mode" ;;
        bench) options="--self --size --time --one-way --timeout --json --color" ;;
        *) return ;;
    esac

    for ((i = 2; i < cword; i++)); do
        option=${words[i]}
        if ((is_after_end)) || [[ $option != -* ]]; then
            ((++addresses))
        elif [[ $option == -- ]]; then
            is_after_end=1
            if [[ $command == wait || $command == pass ]]; then
                # The program, and its arguments.
                if ((i + 1 == cword)); then
                    _mmipc_compgen -c "$cur" ""
                else
                    _mmipc_files -f "$cur" ""
                fi
                return
            fi
        elif [[ $option == --self ]]; then
            ((++addresses))
        elif _mmipc_has_value "$option"; then
            if ((++i == cword)); then
                _mmipc_values "$option"
                return
            fi
        fi
    done

    if ((is_after_end)) || [[ $cur != -* ]]; then
        if ((addresses == 0)) || [[ $command == list ]]; then
            _mmipc_addresses "$command"
        fi
    elif [[ $cur == --*=* ]]; then
        option=${cur%%=*}
        local cur=${cur#*=}
        _mmipc_values "$option"
        COMPREPLY=("${COMPREPLY[@]/#/"$option="}")
    else
        # shellcheck disable=SC2086 # The options contain no blanks.
        _mmipc_add $options --help
    fi
}

_mmipc() {
    local words cword cur breaks prefix i
    COMPREPLY=()
    _mmipc_words
    cur=${words[cword]}
    _mmipc_candidates

    # bash replaces only what follows the last character at which it splits words.
    breaks=${COMP_WORDBREAKS//[^:=@]/}
    [[ -n $breaks ]] || return 0
    prefix=${cur%"${cur##*["$breaks"]}"}
    for i in "${!COMPREPLY[@]}"; do
        COMPREPLY[i]=${COMPREPLY[i]#"$prefix"}
    done
}

complete -F _mmipc mmipc
