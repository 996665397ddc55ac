# SPDX-License-Identifier: Apache-2.0
# bash completion of programs that parse their arguments with mmargparse.h. It needs bash 4.3, and no functions of the
# package bash-completion.
#
# This file is installed as PREFIX/share/mmlib/mmlib.bash and completes nothing by itself. The package of a program
# installs the file PREFIX/share/bash-completion/completions/PROGRAM with these lines (pkg-config prints the path of
# this file: pkg-config --variable=bash_completion mmlib):
#
#     . /usr/share/mmlib/mmlib.bash
#     mmlib_complete PROGRAM
#
# Without the package bash-completion, the lines can be in ~/.bashrc. mmlib_complete accepts several programs; to give
# options to complete, use: complete -F _mmlib_complete [OPTION...] PROGRAM.
#
# Completion runs the program: with the arguments in front of the cursor, with MMLIB_CMD_COMPLETION in the environment,
# with /dev/null as standard input, and with standard error discarded. Each line of its output is a candidate. So the
# program must
#   - set the parser flag MM_ARG_PARSER_COMPLETION if mm_arg_is_completing() returns 1, and
#   - exit without any other effect if mm_arg_parse() then returns the index of an argument; before that, it can print
#     candidates for the last argument, for example with mm_arg_complete_path().
# Never register a program that does not do this: it would do its work whenever the user presses TAB.

# Splits the beginning of a command line as the shell does. Sets words, of which the last one may be empty; raw, how the
# last word is written; quote, the quote that is open at the end; is_tilde, whether the last word begins with the
# home directory as ~; is_target, whether the last word is the target of a redirection. Nothing is executed; of the
# expansions, only ~ and variables whose names consist of capitals are replaced.
_mmlib_split() {
    local line=$1 word='' char next i start=0 is_word=0
    # shellcheck disable=SC2016 # It is a regular expression.
    local variable='^\$(([A-Z_][A-Z0-9_]*)|\{([A-Z_][A-Z0-9_]*)\})'
    words=() quote='' is_tilde=0 is_target=0

    for ((i = 0; i < ${#line}; i++)); do
        char=${line:i:1} next=${line:i+1:1}
        if [[ $quote != "'" && $quote != "\$'" && $char == \$ && ${line:i} =~ $variable ]]; then
            next=${BASH_REMATCH[2]}${BASH_REMATCH[3]}
            word+=${!next-}
            ((is_word || (start = i, is_word = 1)))
            ((i += ${#BASH_REMATCH[0]} - 1))
            continue
        fi
        if [[ -n $quote && $char == "${quote: -1}" ]]; then
            quote=''
        elif [[ $quote == "'" ]]; then
            word+=$char
        elif [[ -n $quote && $char == \\ ]]; then
            if [[ $quote == "\$'" ]]; then
                printf -v next %b "\\$next"
                next=${next#\\}
            elif [[ $next != [\$\`\"\\] ]]; then
                next=\\$next
            fi
            word+=$next
            ((++i))
        elif [[ -n $quote ]]; then
            word+=$char
        elif [[ $char == [[:space:]] ]]; then
            ((!is_word)) || _mmlib_end_word
        elif [[ $char == [\<\>] ]]; then
            # The number of a file descriptor belongs to the redirection.
            [[ $word == *[!0-9\&]* ]] || is_word=0 word=''
            ((!is_word)) || _mmlib_end_word
            is_target=1
            while [[ ${line:i+1:1} == [\<\>\&\|] ]]; do ((++i)); done
        else
            ((is_word || (start = i, is_word = 1)))
            case $char in
                \\)
                    word+=$next
                    ((++i))
                    ;;
                \' | \") quote=$char ;;
                \$)
                    if [[ $next == [\'\"] ]]; then
                        quote=${next/\'/\$\'}
                        ((++i))
                    else
                        word+=$char
                    fi
                    ;;
                \~)
                    if ((start == i)) && [[ -z $next || $next == [/[:space:]] ]]; then
                        word+=${HOME-} is_tilde=1
                    else
                        word+=$char
                    fi
                    ;;
                *) word+=$char ;;
            esac
        fi
    done
    words+=("$word")
    ((is_word)) || start=${#line}
    raw=${line:start}
}

# Ends a word of _mmlib_split, whose variables it changes.
_mmlib_end_word() {
    ((is_target)) || words+=("$word")
    word='' is_word=0 is_tilde=0 is_target=0
}

# Sets before to the part of a word that is written as the argument.
_mmlib_split_before() {
    local words raw quote is_tilde is_target
    _mmlib_split "$1"
    before=${words[${#words[@]} - 1]}
}

# The function for complete -F. bash calls it with the program, and with the text that the replies replace. This is the
# end of the last word: it starts after an open quote, or after a character of COMP_WORDBREAKS, as = and : are.
_mmlib_complete() {
    local words raw quote is_tilde is_target program word option='' before='' candidate i

    COMPREPLY=()
    _mmlib_split "${COMP_LINE:0:COMP_POINT}"
    word=${words[${#words[@]} - 1]}
    if ((!is_target)); then
        ((${#words[@]} > 1)) || return 0
        program=$(type -P -- "${words[0]}") || return 0
        [[ $word != --*=* ]] || option=${word%%=*}=
        [[ $raw != *"$2" ]] || _mmlib_split_before "${raw%"$2"}"
        # A candidate for a value does not contain the option.
        while IFS= read -r candidate || [[ -n $candidate ]]; do
            candidate=$option$candidate
            [[ $candidate != "$word"* || $candidate == "$option" ]] || COMPREPLY+=("${candidate#"$before"}")
        done < <(MMLIB_CMD_COMPLETION=yes exec "$program" "${words[@]:1}" 2>/dev/null </dev/null)
    fi
    if ((${#COMPREPLY[@]} == 0)); then
        # An argument for which the program knows no candidates, for example any text, may be a file.
        [[ $word == -* ]] || compopt -o bashdefault -o default 2>/dev/null
        return 0
    fi

    if ((is_tilde)) && [[ -z $before && -n ${HOME-} ]]; then
        COMPREPLY=("${COMPREPLY[@]/#"$HOME"/"~"}")
    fi
    for i in "${!COMPREPLY[@]}"; do
        candidate=${COMPREPLY[i]}
        # If there are several, bash adds no space anyway.
        [[ $candidate != *[=/] ]] || compopt -o nospace 2>/dev/null
        # bash quotes the names of files. It must not treat other words so: it would add / if a directory has that name.
        if [[ -n $quote || $candidate == *[!a-zA-Z0-9_.,:+=@%-]* ]]; then
            compopt -o filenames 2>/dev/null
            # bash adds the / of a directory itself, and the quote stays open then.
            [[ -z $quote || ! -d $candidate ]] || COMPREPLY[i]=${candidate%/}
        fi
    done
}

# Registers programs, which must use the parser as described above.
mmlib_complete() {
    complete -F _mmlib_complete -- "$@"
}
