# SPDX-License-Identifier: Apache-2.0
# fish completion of mmipc.

# The addresses of servers to which the library can connect, if they need no escapes.
function __mmipc_servers
    mmipc list --json 2>/dev/null </dev/null \
        | string match -r -a -g '"address": "([^"\\\\]*)", "kind": "[a-z]*", "name": "[^"\\\\]*", "padded": [tn]' \
        | sort -u
end

# The files after path:
function __mmipc_paths
    set -l token (commandline -ct)
    if string match -q 'path:*' -- $token
        string replace -r '^' path: -- (__fish_complete_path (string replace 'path:' '' -- $token))
    else
        echo path:
    end
end

# Whether the command is one of the arguments.
function __mmipc_command
    set -l words (commandline -opc)
    test (count $words) -gt 1; and contains -- $words[2] $argv
end

# Whether the command is not given yet.
function __mmipc_no_command
    test (count (commandline -opc)) -eq 1
end

# Whether the program after -- is to be completed.
function __mmipc_program
    __mmipc_command wait pass; and contains -- -- (commandline -opc)
end

# What completes the program and its arguments.
function __mmipc_program_arguments
    set -l words (commandline -opc)
    set -l index (contains -i -- -- $words)
    set -l line (string escape -- $words[(math $index + 1)..-1]) (commandline -ct)
    complete -C (string join ' ' -- $line)
end

complete -c mmipc -f

complete -c mmipc -n __mmipc_no_command -a list -d 'List servers, their connections and waiting clients'
complete -c mmipc -n __mmipc_no_command -a listen -d 'Serve, and print each message'
complete -c mmipc -n __mmipc_no_command -a send -d 'Send messages and file descriptors'
complete -c mmipc -n __mmipc_no_command -a connect -d 'Send lines, and print what comes back'
complete -c mmipc -n __mmipc_no_command -a wait -d 'Wait for a server, then run a program'
complete -c mmipc -n __mmipc_no_command -a pass -d 'Run a program with a connection'
complete -c mmipc -n __mmipc_no_command -a bench -d 'Measure round trips and rates'
complete -c mmipc -n __mmipc_no_command -a help -d 'Print the commands'
complete -c mmipc -s h -l help -d 'Print the commands or the options'
complete -c mmipc -n __mmipc_no_command -s V -l version -d 'Print the version'

complete -c mmipc -n '__mmipc_command list send connect wait pass bench; and not __mmipc_program' \
    -a '(__mmipc_servers; __mmipc_paths)' -d Server
complete -c mmipc -n '__mmipc_command listen' -a '(__mmipc_paths)'
complete -c mmipc -n __mmipc_program -a '(__mmipc_program_arguments)'

complete -c mmipc -n '__mmipc_command list' -s j -l json -d 'Print JSON'
complete -c mmipc -n '__mmipc_command list' -s w -l watch -d 'Print again at each change'
complete -c mmipc -n '__mmipc_command list' -l color -x -a 'auto always never' -d 'Use colours'

complete -c mmipc -n '__mmipc_command listen' -l format -x -a 'text quoted hex json raw' -d 'Format of the messages'
complete -c mmipc -n '__mmipc_command listen' -l reply -x -d 'Answer with a text'
complete -c mmipc -n '__mmipc_command listen' -l reply-file -r -F -d 'Answer with the content of a file'
complete -c mmipc -n '__mmipc_command listen' -l echo -d 'Answer with the message'
complete -c mmipc -n '__mmipc_command listen' -l exec -x -a '(__fish_complete_command)' -d 'Run for each client'
complete -c mmipc -n '__mmipc_command listen' -l count -x -d 'End after a number of messages'
complete -c mmipc -n '__mmipc_command listen' -l once -d 'Serve one client'
complete -c mmipc -n '__mmipc_command listen' -l save-fds -x -a '(__fish_complete_directories)' -d 'Save received files'
complete -c mmipc -n '__mmipc_command listen' -l mode -x -d 'Permissions of the path'
complete -c mmipc -n '__mmipc_command listen' -l allow-uid -x -a '(__fish_complete_users)' -d 'Serve only this user'
complete -c mmipc -n '__mmipc_command listen' -l allow-gid -x -a '(__fish_complete_groups)' -d 'Serve only this group'

complete -c mmipc -n '__mmipc_command send' -l lines -d 'Send the lines of standard input'
complete -c mmipc -n '__mmipc_command send' -l null -d 'Send the records of standard input that end in NUL'
complete -c mmipc -n '__mmipc_command send' -l whole -d 'Send standard input as one message'
complete -c mmipc -n '__mmipc_command send' -l fd -x -d 'Send an open file descriptor'
complete -c mmipc -n '__mmipc_command send' -l open -r -F -d 'Open a file, and send its descriptor'
complete -c mmipc -n '__mmipc_command send' -l wait-reply -d 'Wait for answers'
complete -c mmipc -n '__mmipc_command send' -l format -x -a 'text quoted hex json raw' -d 'Format of the answers'
complete -c mmipc -n '__mmipc_command send' -l timeout -x -d 'Limit of each wait'
complete -c mmipc -n '__mmipc_command send' -l count -x -d 'Send the messages several times'
complete -c mmipc -n '__mmipc_command send' -l interval -x -d 'Pause between messages'

complete -c mmipc -n '__mmipc_command connect' -l format -x -a 'text quoted hex json raw' -d 'Format of the messages'
complete -c mmipc -n '__mmipc_command connect' -l timeout -x -d 'Limit of the wait'

complete -c mmipc -n '__mmipc_command wait' -l timeout -x -d 'Limit of the wait'

complete -c mmipc -n '__mmipc_command pass' -l timeout -x -d 'Limit of the wait'
complete -c mmipc -n '__mmipc_command pass' -l listen -d 'Pass a listening socket'
complete -c mmipc -n '__mmipc_command pass' -l mode -x -d 'Permissions of the path'

complete -c mmipc -n '__mmipc_command bench' -l self -d 'Measure without a server'
complete -c mmipc -n '__mmipc_command bench' -l size -x -d 'Sizes of the messages'
complete -c mmipc -n '__mmipc_command bench' -l time -x -d 'Time for each size'
complete -c mmipc -n '__mmipc_command bench' -l one-way -d 'Do not wait for answers'
complete -c mmipc -n '__mmipc_command bench' -l timeout -x -d 'Limit of each wait'
complete -c mmipc -n '__mmipc_command bench' -l json -d 'Print JSON'
complete -c mmipc -n '__mmipc_command bench' -l color -x -a 'auto always never' -d 'Use colours'
