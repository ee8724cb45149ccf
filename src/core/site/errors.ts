import { defineErrors, defineTexts } from '../errors/define.ts'

export const SITE_ERRORS = defineErrors({
  SETTINGS_CHANGED: {
    kind: 'conflict',
    zh: '设置已被他人修改，请重新获取后再试',
    en: 'The settings have changed since you read them; read them again',
  },
  SETTING_NAMED_TWICE: {
    kind: 'invalid',
    zh: '{field} 出现了两次，且值不同',
    en: '{field} comes twice, with different values',
  },
})

export const SITE_RULES = defineTexts({
  unknown_setting: { zh: '没有这个设置项', en: 'is not a setting' },
})
