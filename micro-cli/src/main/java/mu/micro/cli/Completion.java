package mu.micro.cli;

import picocli.AutoComplete;

/**
 * The script that completes commands in bash and zsh: picocli's own for built-in
 * commands, and the names of running services and of their endpoints where one can stand.
 */
final class Completion {

	private static final String SERVICES = """

			# Services are commands too. Micro is asked for their names; if it cannot be reached there are none.
			function _complete_micro_services() {
			  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[*]:1:COMP_CWORD-1}"
			  COMPREPLY=()
			  case "$before" in
			    ''|call|stream|'get service'|'debug health'|'debug stats'*|help) ;;
			    *) _complete_micro_endpoints; return ;;
			  esac
			  case "$word" in
			    -*) _complete_micro; return ;;
			  esac
			  if [ -z "$before" ] || [ "$before" = help ]; then
			    COMPREPLY=( $(compgen -W "%1$s" -- "$word") )
			  fi
			  # Names are data: anyone may register one, and a word list would be expanded by the shell.
			  local name
			  while IFS= read -r name; do
			    if [[ "$name" == "$word"* ]]; then
			      COMPREPLY+=( "$(printf '%%q' "$name")" )
			    fi
			  done < <("${COMP_WORDS[0]}" services --request_timeout 2s 2>/dev/null)
			}

			# Behind a service's name stand its endpoints, as its help page lists them.
			function _complete_micro_endpoints() {
			  local service="${COMP_WORDS[1]}" word="${COMP_WORDS[COMP_CWORD]}" line next last=
			  local before="${COMP_WORDS[*]:2:COMP_CWORD-2}"
			  case " %1$s $service $word" in
			    *" $service "*" $service "*|*' -'*) _complete_micro; return ;;
			  esac
			  while IFS= read -r line; do
			    if [[ "$line" == "${before:+$before }$word"* ]]; then
			      next="${line#"${before:+$before }"}"
			      next="${next%%%% *}"
			      if [ "$next" != "$last" ]; then
			        COMPREPLY+=( "$next" )
			      fi
			      last="$next"
			    fi
			  done < <("${COMP_WORDS[0]}" "$service" --help --request_timeout 2s 2>/dev/null |
			    sed -n '/^Commands:/,/^$/s/^  \\([a-z0-9_-]*\\( [a-z0-9_-]*\\)\\{0,1\\}\\)  .*/\\1/p')
			}

			complete -F _complete_micro_services -o default micro
			""";

	private Completion() {
	}

	/**
	 * The script.
	 * @return to be read by bash or zsh
	 */
	static String script() {
		return AutoComplete.bash("micro", Commands.line(Commands.ALL.keySet()))
				+ SERVICES.formatted(String.join(" ", Commands.ALL.keySet()));
	}

}
