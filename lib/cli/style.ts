import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Styles text for a terminal, or leaves it alone where there is none. */
export function stylist(colour: boolean): (format: Format, text: string) => string {
  return (format, text) => (colour ? styleText(format, text, { validateStream: false }) : text);
}
