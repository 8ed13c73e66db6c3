/** Of a text at most so many code points, the last of them an ellipsis where that is not all of it. */
export function cutText(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const chars = Array.from(text.slice(0, 2 * maxChars + 2));
  return chars.length <= maxChars ? text : `${chars.slice(0, maxChars - 1).join('')}…`;
}
