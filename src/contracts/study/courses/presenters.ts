import type { ItemProgress } from '../../../core/courses/progress.ts'
import type { Course as CoreCourse, CourseSummary } from '../../../core/courses/provider.ts'
import type { Course, CourseDetail } from './models.ts'

export const presentCourse = ({ courseId, name, teacherName, progress }: CourseSummary): Course => ({
  courseId,
  courseName: name,
  teacherName,
  progress,
})

/** @param progress of the reader in the course */
export function presentCourseDetail(course: CoreCourse, progress: readonly ItemProgress[]): CourseDetail {
  const byItem = new Map(progress.map((item) => [item.itemId, item]))
  return {
    ...presentCourse(course),
    items: course.items.map(({ itemId, name, kind, duration, isOpen }) => {
      const { position = 0, isDone = false } = byItem.get(itemId) ?? {}
      return { itemId, itemName: name, type: kind, duration, isOpen, position, isDone }
    }),
  }
}
