import type { WarningEvent } from '../build.ts';
import { type Finding, rules, ruleUrl } from './rules.ts';

/** How a build tells of a finding. */
export function warningOf({ rule, detail, range }: Finding): WarningEvent {
  return {
    kind: 'warning',
    short: `${rule}: ${detail} (line ${range.first})`,
    detail: [rules[rule]],
    url: ruleUrl(rule),
    range,
  };
}
