/** The control of one setting of the site, by the kind of its value. */
import { language } from '../../lib/language.ts'
import { Checkbox, Select, TextArea, TextField } from '../../ui/field.tsx'

export type SettingValue = string | number | boolean | string[]
/** A value as its control holds it. */
export type SettingText = string | boolean

export const settingText = (value: SettingValue): SettingText => {
  if (typeof value === 'boolean') return value
  return Array.isArray(value) ? value.join('\n') : String(value)
}

/** @param like a value of the same kind */
export const settingOf = (text: SettingText, like: SettingValue): SettingValue => {
  if (typeof like === 'number') return Number(text)
  return Array.isArray(like) ? String(text).split(/\s+/).filter(Boolean) : text
}

const EN: Record<string, string> = {
  general: 'Photo site',
  upload: 'Photo uploads',
  image: 'Pictures and watermark',
  display: 'Display',
  site_title: 'Title',
  site_description: 'Description',
  site_keywords: 'Keywords',
  site_author: 'Author',
  site_email: 'Email',
  max_file_size: 'Largest file (bytes)',
  allowed_types: 'Types, one on each line',
  max_files_per_batch: 'Files in one batch',
  auto_publish: 'Publish new photos at once',
  generate_thumbnails: 'Make thumbnails',
  publish_location: 'Show everybody where photos were taken',
  quality_jpg: 'JPEG quality',
  quality_webp: 'WebP quality',
  max_width: 'Largest width (pixels)',
  max_height: 'Largest height (pixels)',
  watermark_enabled: 'Watermark for visitors',
  watermark_text: 'Text of the watermark',
  watermark_position: 'Place of the watermark',
  watermark_opacity: 'Opacity of the watermark (%)',
  watermark_size: 'Width of the watermark (%)',
  photos_per_page: 'Photos on a page',
  thumbnail_size: 'Size of thumbnails (pixels)',
  theme_primary_color: 'First colour',
  theme_secondary_color: 'Second colour',
  enable_dark_mode: 'Dark mode',
  enable_animations: 'Animations',
  top_left: 'Top left',
  top_right: 'Top right',
  center: 'Centre',
  bottom_left: 'Bottom left',
  bottom_right: 'Bottom right',
}

const ZH: Record<string, string> = {
  general: '照片站点',
  upload: '照片上传',
  image: '图片与水印',
  display: '显示',
  site_title: '标题',
  site_description: '说明',
  site_keywords: '关键词',
  site_author: '作者',
  site_email: '邮箱',
  max_file_size: '最大文件（字节）',
  allowed_types: '允许的类型，每行一个',
  max_files_per_batch: '每批文件数',
  auto_publish: '新照片立即发布',
  generate_thumbnails: '生成缩略图',
  publish_location: '公开拍摄地点',
  quality_jpg: 'JPEG 质量',
  quality_webp: 'WebP 质量',
  max_width: '最大宽度（像素）',
  max_height: '最大高度（像素）',
  watermark_enabled: '访客看到水印',
  watermark_text: '水印文字',
  watermark_position: '水印位置',
  watermark_opacity: '水印不透明度（%）',
  watermark_size: '水印宽度（%）',
  photos_per_page: '每页照片数',
  thumbnail_size: '缩略图尺寸（像素）',
  theme_primary_color: '主色',
  theme_secondary_color: '辅色',
  enable_dark_mode: '深色模式',
  enable_animations: '动画',
  top_left: '左上',
  top_right: '右上',
  center: '居中',
  bottom_left: '左下',
  bottom_right: '右下',
}

export const settingTexts = (): Record<string, string> => (language.value === 'zh' ? ZH : EN)

const PLACES = ['top_left', 'top_right', 'center', 'bottom_left', 'bottom_right']

interface Props {
  category: string
  name: string
  /** What the server has. */
  value: SettingValue
  text: SettingText
  error: string | undefined
  onInput: (text: SettingText) => void
}

export function SettingField({ category, name, value, text, error, onInput }: Props) {
  const label = settingTexts()[name] ?? name
  if (typeof text === 'boolean') {
    return <Checkbox label={label} checked={text} onChange={() => onInput(!text)} />
  }
  const control = {
    label,
    name: `${category}.${name}`,
    error,
    value: text,
    onInput: (event: { currentTarget: { value: string } }) => onInput(event.currentTarget.value),
  }
  if (Array.isArray(value)) return <TextArea {...control} />
  if (name === 'watermark_position') {
    return <Select {...control} options={PLACES.map((place) => [place, settingTexts()[place]!] as const)} />
  }
  const type =
    typeof value === 'number'
      ? 'number'
      : name.endsWith('_color')
        ? 'color'
        : name.endsWith('email')
          ? 'email'
          : 'text'
  return <TextField {...control} type={type} />
}
