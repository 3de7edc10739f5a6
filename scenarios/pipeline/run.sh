# Exit codes: 0 pass, 99 a gate failed, 3 the run cannot tell, anything else: no verdict.
{{- if eq . "github"}}
say() { echo "::$1 title=brownout $SCENARIO::$2"; }
{{- else}}
say() { echo "$1: brownout $SCENARIO: $2"; }
{{- end}}
attempt() {
  code=0
  brownout run "$SCENARIO" --out brownout-out || code=$?
}
rm -rf brownout-out brownout-first
attempt
if [ "$code" -eq 3 ]; then
  say warning "unknown: the run cannot tell, its report says why; trying once more"
  mv brownout-out brownout-first
  attempt
fi
case "$code" in
  0) ;;
  99) say error "FAIL: a gate does not hold; see the report" ;;
  3)
    if [ "$BROWNOUT_ON_UNKNOWN" = warn ]; then
      say warning "UNKNOWN twice: neither pass nor fail; not failing the job, as BROWNOUT_ON_UNKNOWN asks"
      code=0
    else
      say error "UNKNOWN twice: neither pass nor fail; mend what its report names, or set BROWNOUT_ON_UNKNOWN to warn"
    fi ;;
  *) say error "no verdict: brownout ended with code $code" ;;
esac
exit "$code"
