/** Text without quotation marks, as the vendor's tool reads it: PyYAML reads YAML 1.1, and this program 1.2. */

/** https://yaml.org/type/ has the forms; PyYAML takes fewer of the booleans, and signs in front of more of the numbers. */
const FORMS: readonly (readonly [what: string, form: RegExp])[] = [
  ["a boolean", /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/],
  ["nothing", /^(?:~|null|Null|NULL|)$/],
  ["a number", /^[-+]?(?:0b[01_]+|0x[\da-fA-F_]+|0[0-7_]*|[1-9][\d_]*(?::[0-5]?\d)*)$/],
  ["a number", /^[-+]?(?:\d[\d_]*(?:\.[\d_]*(?:[eE][-+]\d+)?|(?::[0-5]?\d)+\.[\d_]*)|\.(?:inf|Inf|INF))$/],
  ["a number", /^\.(?:\d[\d_]*(?:[eE][-+]\d+)?|nan|NaN|NAN)$/],
  ["a date", /^\d{4}-\d\d-\d\d$/],
  ["a date", /^\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?$/],
  ["a sign of its own", /^(?:=|<<)$/],
];

/** What PyYAML makes of a plain scalar other than text; undefined when it is text there too. */
export function otherThanText(plain: string): string | undefined {
  return FORMS.find(([, form]) => form.test(plain))?.[0];
}
