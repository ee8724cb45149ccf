const YES =
  /^\s*(?:是|是的|好|好的|对|对的|行|可以|确认|确定|同意|嗯|yes|y|yeah|yep|ok|okay|sure|confirm|confirmed|do it|go ahead|please do|yes please)[\s.!。！,，]*$/i

/** Whether the user's answer to a confirmation is a plain yes. Any other answer is a no. */
export const readsAsYes = (message: string): boolean => YES.test(message.normalize('NFKC'))
