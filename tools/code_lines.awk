# code_lines.awk: prints FILE:LINE:CODE with comments gone and the text of string
# and character literals emptied, so that checks look at code alone.
function emit() {
    print FILENAME ":" FNR ":" code
}
FNR == 1 {
    in_comment = 0
}
{
    line = $0
    code = ""
    while (line != "") {
        if (in_comment) {
            at = index(line, "*/")
            if (!at) {
                break
            }
            line = substr(line, at + 2)
            in_comment = 0
            continue
        }
        if (!match(line, /["'\/]/)) {
            code = code line
            break
        }
        code = code substr(line, 1, RSTART - 1)
        line = substr(line, RSTART)
        first = substr(line, 1, 1)
        if (first == "/") {
            if (substr(line, 2, 1) == "*") {
                in_comment = 1
                line = substr(line, 3)
                code = code " "
            } else {
                code = code "/"
                line = substr(line, 2)
            }
            continue
        }
        pattern = first == "\"" ? "^\"([^\"\\\\]|\\\\.)*\"" : "^'([^'\\\\]|\\\\.)*'"
        if (code ~ /^#[ ]*include/) { # the name of an include is code
            code = code line
            break
        }
        if (match(line, pattern)) {
            code = code first first
            line = substr(line, RLENGTH + 1)
        } else {
            code = code first
            line = substr(line, 2)
        }
    }
    emit()
}
