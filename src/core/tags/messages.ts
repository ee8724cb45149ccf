import { defineTexts } from '../errors/define.ts'

export const TAG_MESSAGES = defineTexts({
  tag_group_style: { zh: '摄影风格', en: 'Style' },
  tag_group_subject: { zh: '拍摄主题', en: 'Subject' },
  tag_group_technique: { zh: '拍摄技法', en: 'Technique' },
  tag_group_location: { zh: '地理位置', en: 'Location' },
})
