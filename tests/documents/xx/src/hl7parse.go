package hl7

import "strings"

// PID holds the patient identification segment.
type PID struct{ MRN, Family, Given, DOB, Sex string }

// ParsePID expects e.g. "PID|1||123^^^HOSP^MR||DOE^JANE||19700101|F"
func ParsePID(seg string) (p PID, ok bool) {
	f := strings.Split(seg, "|")
	if len(f) < 9 || f[0] != "PID" {
		return p, false
	}
	n := strings.Split(f[5], "^")
	p.MRN, p.Family, p.DOB, p.Sex = strings.Split(f[3], "^")[0], n[0], f[7], f[8]
	return p, true
}
