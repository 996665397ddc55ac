// SPDX-License-Identifier: Apache-2.0
//! The text of --help.

use crate::failure::Result;
use crate::output::print;

const OVERVIEW: &str = "\
Usage: mmipc COMMAND [ARGUMENT...]

Commands:
  list [ADDR...]       list servers, their processes, connections and waiting clients
  listen ADDR          serve, and print each message
  send ADDR [DATA...]  send messages and file descriptors
  connect ADDR         send the lines of standard input, and print what comes back
  wait ADDR            wait until a server listens, then run a program
  pass ADDR -- CMD...  run a program with a connection as file descriptor 3
  bench ADDR | --self  measure round trips and rates

ADDR is NAME or @NAME, an abstract name, or path:FILE, a path in the file system.
A name that begins with '@' or 'path:' needs the form @NAME.

'mmipc COMMAND --help' lists the options of a command. mmipc(1) has examples,
the exit statuses, and the formats of the output.
";

pub fn print_overview() -> Result<()> {
    print(OVERVIEW.as_bytes())
}

/// Prints the help of a command.
pub fn print_command(text: &str) -> Result<()> {
    print(text.as_bytes())
}
