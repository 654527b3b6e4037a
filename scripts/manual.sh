#!/bin/sh
# Print the manual page of truncquant, or its completion for bash, from what the program says of itself: its verbs and
# their options are listed in one place each, in C.
#
#     scripts/manual.sh page|completion PROGRAM
set -eu
LC_ALL=C
export LC_ALL
kind=${1-} program=${2-}
[ -n "$program" ] || { echo "usage: scripts/manual.sh page|completion PROGRAM" >&2 && exit 2; }

# What the program says of itself, or no page at all.
help=$("$program" --help) && version=$("$program" --version)
verbs=$(printf '%s\n' "$help" | sed -n 's/^  \([a-z]*\)  *.*/\1/p')
[ -n "$verbs" ] || { echo "manual.sh: $program names no verbs" >&2 && exit 1; }

# The options of a verb, a line each: "--name VALUE", a tab, what it is.
options() {
    "$program" "$1" --help | sed -n 's/^  \(--[a-z-]*\( [A-Z]*\)\{0,1\}\)  *\(.*\)/\1	\3/p'
}

# Text as troff takes it: a backslash, a dot or a quote at the start of a line, and hyphens that are typed.
troff() {
    sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^[.']/\\\\\\&&/"
}

page() {
    printf '.TH TRUNCQUANT 1 "" "%s" "User commands"\n' "$(printf %s "$version" | troff)"
    printf '.SH NAME\ntruncquant \\- trains weight quantizers that survive truncation, and compares them\n'
    printf '.SH SYNOPSIS\n.B truncquant\n.I VERB\n[options]\n.SH DESCRIPTION\n'
    printf '%s\n' 'Plans grids of runs, trains networks with quantized weights for several bit-widths at once, evaluates' \
        'every width directly and cut from the stored codes, and keeps each figure in an SQLite database, from which' \
        'tables and figures are made.' '.SH VERBS'
    for verb in $verbs; do
        printf '.SS %s\n.nf\n' "$verb"
        "$program" "$verb" --help | sed '/^options:/,$d' | sed '/^$/d' | troff
        printf '.fi\n'
        options "$verb" | troff | sed 's/^\([^	]*\)	\(.*\)/.TP\n.B \1\n\2/'
    done
    printf '.SH EXIT STATUS\n%s\n' \
        '0 done, 1 failed, 2 wrong use, 3 nothing to export, 4 another process is at that run, 128 + N ended by signal N.'
    printf '.SH ENVIRONMENT\n'
    printf '.TP\n.B TRUNCQUANT_DATA\nthe folder of data sets\n.TP\n.B TRUNCQUANT_CACHE\nthe folder of prepared data sets\n'
    printf '.SH SEE ALSO\n%s\n' 'The README, and the manuals in experiments, baselines, plots and harness.'
}

# shellcheck disable=SC2016 # it is the shell of who completes that expands these
completion() {
    echo "# Completion of truncquant for bash; made by scripts/manual.sh."
    echo '_truncquant() {'
    echo '    local word=${COMP_WORDS[COMP_CWORD]} options='
    echo '    COMPREPLY=()'
    echo '    if [ "$COMP_CWORD" = 1 ]; then'
    echo "        COMPREPLY=(\$(compgen -W '$(echo $verbs) --help --version' -- \"\$word\"))"
    echo '        return'
    echo '    fi'
    echo '    case ${COMP_WORDS[1]} in'
    for verb in $verbs; do
        echo "    $verb) options='$(options "$verb" | sed 's/[ 	].*//' | tr '\n' ' ')--help' ;;"
    done
    echo '    esac'
    echo '    [[ $word != -* ]] || COMPREPLY=($(compgen -W "$options" -- "$word"))'
    echo '}'
    echo 'complete -o default -F _truncquant truncquant'
}

case $kind in
page | completion) "$kind" ;;
*) echo "manual.sh: '$kind' is unknown; take page or completion" >&2 && exit 2 ;;
esac
